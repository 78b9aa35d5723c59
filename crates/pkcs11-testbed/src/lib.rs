//! Test support for PKCS#11 signers: throw-away tokens of several real modules, a module that fails on demand,
//! and tests that run in a process of their own.
//!
//! A module keeps its state for a whole process, and reads its settings from the environment, so that a test of
//! one needs a process that no other test shares:
//!
//! ```ignore
//! #[test]
//! fn a_key_is_found() {
//!     isolated!(Device::SoftHsm.setup(), |bed| {
//!         bed.generate_rsa("01", "partner", 2048);
//!         // … open it through `bed.uri("object=partner")`, with `bed.pin()` …
//!     });
//! }
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod bed;
mod device;
mod faults;
mod fork;
mod isolated;
pub mod module;
mod server;
mod tools;

pub use bed::{Bed, faulty_module};
pub use device::{Device, Setup};
pub use faults::{Call, Faults};
pub use fork::fork;
pub use isolated::{run_isolated, test_path};
pub use server::Server;
