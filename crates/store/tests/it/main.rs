//! The stores over real files and a real Redis: what every store promises, and each one's own faults.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod crashes;
mod file_faults;
mod full_disk;
mod housekeeping;
#[cfg(all(feature = "keyring", target_os = "linux"))]
mod keyring;
mod processes;
mod promises;
#[cfg(feature = "redis")]
mod redis_faults;
#[cfg(feature = "redis")]
mod redis_leases;
#[cfg(feature = "redis")]
mod redis_outages;
#[cfg(feature = "redis")]
mod redis_process;
mod redis_server;
mod support;
