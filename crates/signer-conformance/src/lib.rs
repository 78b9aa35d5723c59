//! The tests that every [`TokenSigner`] has to pass, whatever keeps its key.
//!
//! A backend tells how it opens a signer for a given key, and [`conformance!`] makes a test of each rule:
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use soticket_core::{SignerError, TokenSigner};
//! use soticket_signer_conformance::{Subject, TestKey};
//!
//! struct MyBackend;
//!
//! #[async_trait]
//! impl Subject for MyBackend {
//!     async fn open(&self, key: TestKey) -> Result<Arc<dyn TokenSigner>, SignerError> {
//!         my_backend::keep_and_open(key.name(), key.private_pem()).await
//!     }
//!
//!     async fn open_missing(&self) -> Result<Arc<dyn TokenSigner>, SignerError> {
//!         my_backend::open("no such key").await
//!     }
//! }
//!
//! soticket_signer_conformance::conformance!(MyBackend);
//! # mod my_backend {
//! #     use super::*;
//! #     pub async fn keep_and_open(_: &str, _: &str) -> Result<Arc<dyn TokenSigner>, SignerError> {
//! #         std::future::pending().await
//! #     }
//! #     pub async fn open(_: &str) -> Result<Arc<dyn TokenSigner>, SignerError> {
//! #         std::future::pending().await
//! #     }
//! # }
//! # fn main() {}
//! ```
//!
//! Signatures are held against OpenSSL's own, byte by byte for RSA, and verified by RustCrypto's `rsa` and `p256`, which
//! share nothing with the library that soticket verifies with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

pub mod checks;
mod key;
mod message;
mod verify;

use std::sync::Arc;

use async_trait::async_trait;
use soticket_core::{SignerError, TokenSigner};

pub use key::TestKey;

/// A backend, as the suite sees it.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// Opens a signer for `key`, which the backend keeps or is given now.
    async fn open(&self, key: TestKey) -> Result<Arc<dyn TokenSigner>, SignerError>;

    /// Tries to open a key that is not there.
    async fn open_missing(&self) -> Result<Arc<dyn TokenSigner>, SignerError>;

    /// The keys that the backend can keep; the suite runs with each of them.
    fn keys(&self) -> Vec<TestKey> {
        TestKey::ALL.to_vec()
    }

    /// What must be seen nowhere, beside the private keys: a PIN, a passphrase.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Hands the name of each check to a macro, so that there is one list of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_check {
    ($then:ident, $subject:expr) => {
        $crate::$then! {
            $subject,
            signatures_verify_and_are_openssls,
            another_message_does_not_verify,
            many_at_once_each_get_their_own,
            callers_that_give_up_harm_nobody,
            the_executor_goes_on,
            any_thread_may_sign,
            key_info_is_true_and_does_not_change,
            nothing_secret_shows,
            a_missing_key_is_told_of,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($subject:expr, $($check:ident),* $(,)?) => {$(
        #[test]
        fn $check() {
            $crate::block_on($crate::checks::$check(&$subject));
        }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __run {
    ($subject:expr, $($check:ident),* $(,)?) => {$(
        eprintln!("  {}", stringify!($check));
        $crate::checks::$check($subject).await;
    )*};
}

/// Makes a test of each rule for the backend that the expression, a [`Subject`], stands for.
#[macro_export]
macro_rules! conformance {
    ($subject:expr) => {
        $crate::__for_each_check!(__tests, $subject);
    };
}

/// Runs every check, for a backend that has to prepare something around all of them.
///
/// # Panics
/// When a rule does not hold.
#[allow(clippy::print_stderr, reason = "a test tells how far it came")]
pub async fn run_all(subject: &dyn Subject) {
    __for_each_check!(__run, subject);
}

/// Runs a check as the tests do: on a runtime with two threads.
///
/// # Panics
/// When the check does, or no runtime can be started.
pub fn block_on(check: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(check);
}
