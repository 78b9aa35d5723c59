//! What crosses soticket's crates.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod api;
mod building;
mod exchange;
mod fleet;
mod hsm;
mod interoperability;
mod kms;
mod readme;
mod real_certificates;
#[path = "../../crates/store/tests/it/redis_process.rs"]
mod redis_process;
mod rotation;
mod secrets;
mod soap_interoperability;
mod support;
mod transports;
mod trust;
