//! A signer over a key file, from the outside: what it reads, what it refuses, and what it never shows.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod export;
mod files;
mod formats;
mod mistakes;
mod passphrases;
mod properties;
mod support;
