//! Stores that keep tickets beyond a process: in files of one machine, and in a Redis for a fleet of them.
//!
//! Each implements [`TicketStore`](soticket_core::TicketStore). Records are encrypted under a [`StoreKey`] before they
//! leave the process, bound to whose they are, to their fence and to their end; whatever does not open under that key
//! is refused, with its cause, and overwritten by the next exchange.

mod file;
mod key;
mod seal;

pub use file::FileStore;
pub use key::{ParseStoreKeyError, StoreKey};
pub use seal::MAX_RECORD_SIZE;
