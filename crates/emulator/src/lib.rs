//! SuperOffice's login service on loopback, for tests and for a first try.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use soticket_emulator::{Config, Emulator};
//!
//! let folder = std::env::temp_dir();
//! let config = Config::sample(folder.join("soticket-sample-key.xml"))?;
//! let emulator = Emulator::builder().with_config(config).start().await?;
//! println!("listening on {}", emulator.url());
//! emulator.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! It knows no other crate of the workspace: its RSA, JWT and XML are other implementations than
//! the client's, so that one mistake cannot hide in both.

mod api;
mod builder;
mod clock;
mod codec;
mod config;
mod discovery;
mod emulator;
mod faults;
mod jwt;
mod keys;
mod log;
mod login;
mod refusal;
mod respond;
mod rest;
mod sample;
mod server;
mod shared;
mod soap;
mod statistics;
mod tenant;
mod tickets;
mod tls;

pub use builder::{EmulatorBuilder, Reach, StartError};
pub use clock::Clock;
pub use config::many_tenants::ManyTenants;
pub use config::{Application, ApprovalConfig, Config, ConfigError, Lifetimes, Secret, TenantConfig};
pub use emulator::{Emulator, KeyRotation, UnknownTenant};
pub use faults::{Fault, FaultRule, Faults, FaultyBody, RetryAfter, Scope, Times};
pub use jwt::defect::JwtDefect;
pub use log::{Entry, Outcome};
pub use refusal::Refusal;
pub use sample::Sample;
pub use statistics::Statistics;
pub use tenant::{Approval, TenantState};
pub use tls::Tls;

/// The reference page's snippet, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/emulator.md")]
#[derive(Debug)]
pub struct ReferencePage;
