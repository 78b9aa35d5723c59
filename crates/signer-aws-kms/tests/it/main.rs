//! The signer over HTTP: against a stand-in of AWS KMS that somebody else wrote, and against one that fails on demand.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod authorisation;
mod conformance;
mod double;
mod failures;
mod fault_server;
mod importing;
mod keys;
mod limits;
mod places;
mod real_aws;
mod requests;
mod secrets;
mod support;
