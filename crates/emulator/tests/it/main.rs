//! The emulator over HTTP, as a client sees it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod exchange;
mod faults;
mod keys;
mod lifecycle;
mod scale;
mod soap;
mod support;
mod tenants;
