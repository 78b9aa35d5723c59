//! The program as its users run it: a process with arguments, an environment, files and a service to talk to.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod doctor;
mod exit_codes;
mod help;
#[cfg(feature = "pem")]
mod keys;
mod local_verbs;
mod many;
#[cfg(feature = "file-store")]
mod many_kept;
mod output;
#[cfg(unix)]
mod progress;
mod secret_input;
mod settings;
mod sign_and_verify;
#[cfg(feature = "file-store")]
mod store;
mod store_settings;
mod support;
mod ticket;
