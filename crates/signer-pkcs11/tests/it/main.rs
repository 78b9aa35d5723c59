//! The signer over real modules and real faults; each test has a process and a token of its own.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod administration;
mod conformance;
mod faults;
mod finding;
mod forking;
mod hanging;
mod lifecycle;
mod outages;
mod pins;
mod secrets;
mod sessions;
mod support;
mod wrong_key;
