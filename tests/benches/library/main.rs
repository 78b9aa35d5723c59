//! What the library costs, each figure beside one of the bare work, taken in the same run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise"
)]

mod exchange;
mod jwt;
mod service;
mod signature;
mod token;

fn main() {
    divan::main();
}

/// An executor without threads, so that what is measured is the work and not a hand-over.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
