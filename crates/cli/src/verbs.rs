//! The commands, one file each.

pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod emulator;
pub(crate) mod key;
pub(crate) mod shell;
pub(crate) mod sign;
pub(crate) mod store;
pub(crate) mod ticket;
pub(crate) mod verify;
