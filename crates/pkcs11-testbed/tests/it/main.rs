//! The test bed itself: it notices what it should, and its tokens work.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod devices;
mod isolation;
