//! Stores that keep tickets beyond a process: in files of one machine, and in a Redis for a fleet of them.
//!
//! Each implements [`TicketStore`](soticket_core::TicketStore). Records are encrypted under a [`StoreKey`] before they
//! leave the process, bound to whose they are, to their fence and to their end; whatever does not open under that key
//! is refused, with its cause, and overwritten by the next exchange.
//!
//! The feature `redis` brings `RedisStore`, the feature `keyring` `StoreKey::from_keyring`.

mod file;
mod key;
#[cfg(feature = "keyring")]
mod keyring;
#[cfg(feature = "redis")]
mod redis;
mod seal;

pub use file::FileStore;
pub use key::{ParseStoreKeyError, StoreKey};
#[cfg(feature = "redis")]
pub use redis::{PlainNetwork, RedisStore, RedisStoreOptions};
pub use seal::MAX_RECORD_SIZE;
