//! A [`TokenSigner`](soticket_core::TokenSigner) over a PKCS#11 token: an HSM, a smart card, or software that
//! speaks like one.
//!
//! [`Pkcs11Signer`] finds the key by an RFC 7512 URI, proves at once that it signs, and pins its public half: a
//! signature by any other key never leaves it, whatever the device does. It gets over lost sessions, lost logins
//! and dead connections by itself, tries no PIN twice, and answers in time even if the module does not.
//!
//! ```no_run
//! use soticket_signer_pkcs11::{Pin, Pkcs11Signer, Pkcs11Uri};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let uri: Pkcs11Uri =
//!     "pkcs11:token=lab;object=partner?module-path=/usr/lib/softhsm/libsofthsm2.so".parse()?;
//! let signer = Pkcs11Signer::builder(uri).with_pin(Pin::environment("PARTNER_PIN")).build().await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod admin;
mod attributes;
mod breaker;
mod builder;
mod connection;
mod device;
mod diagnosis;
mod discovery;
mod fault;
mod key;
mod library;
mod mechanism;
mod module;
mod opening;
mod pin;
mod pool;
mod public;
mod raw;
mod rv;
mod signer;
mod timing;
mod token;
mod uri;

pub use access::TokenAccess;
pub use admin::{ImportKeyError, Inventory, ListedKey, NewKeyType};
pub use builder::{
    DEFAULT_BUILD_DEADLINE, DEFAULT_DEADLINE, DEFAULT_MAX_LOST_THREADS, DEFAULT_QUEUE,
    DEFAULT_RESTART_INTERVAL, DEFAULT_WORKERS, Pkcs11SignerBuilder,
};
pub use connection::PinTries;
pub use diagnosis::{Finding, Link};
pub use key::KeyAttributes;
pub use pin::{MAX_PIN_FILE_BYTES, Pin};
pub use pool::PoolStatus;
pub use rv::CallError;
pub use signer::{BACKEND, Pkcs11Signer};
pub use token::{PinCounter, TokenInfo};
pub use uri::{ParsePkcs11UriError, Pkcs11Uri};
