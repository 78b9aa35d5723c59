//! A [`TokenSigner`](soticket_core::TokenSigner) over a local key file.
//!
//! [`PemSigner`] reads PKCS#8 (encrypted with PBES2 too), PKCS#1 and SEC1, each in PEM and DER, and
//! SuperOffice's `RSAKeyValue` XML, with RSA keys of 1024 to 4096 bits and P-256 keys. The format is
//! recognised from the contents, never from the file's name.
//!
//! [`PrivateKey`] is the key itself, for tools that generate, convert and inspect keys.
//!
//! ```no_run
//! use soticket_signer_pem::{KeySource, Passphrase, PemSigner};
//!
//! let signer = PemSigner::builder(KeySource::file("partner.pem"))
//!     .with_passphrase(Passphrase::environment("PARTNER_KEY_PASSPHRASE"))
//!     .build()?;
//! # Ok::<(), soticket_core::SignerError>(())
//! ```

mod engine;
mod error;
mod format;
mod mistake;
mod parse;
mod passphrase;
mod private_key;
mod rsa_parts;
mod signer;
mod source;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/key-files.md")]
struct Guide;

pub use error::{KeyError, KeyProblem};
pub use format::{Container, DetectedFormat, Encoding};
pub use mistake::Mistake;
pub use parse::encrypted::{MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_MEMORY_BYTES, MAX_SCRYPT_PARALLELIZATION};
pub use parse::xml::MAX_XML_DEPTH;
pub use passphrase::{MAX_PASSPHRASE_BYTES, Passphrase};
pub use private_key::{KeyDerivation, KeyType, LoadedKey, PrivateKey};
pub use rsa_parts::{MAX_RSA_BITS, MIN_RSA_BITS};
pub use signer::{BACKEND, PemSigner, PemSignerBuilder, Probe};
pub use source::{KeySource, MAX_KEY_FILE_BYTES};
