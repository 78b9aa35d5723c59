//! SuperOffice system user tickets, with the partner key where policy wants it.
//!
//! This crate is what a program depends on: all of [`soticket_core`], and a signer for each backend that a
//! cargo feature brings in, named by a [`SignerUri`].
//!
//! | cargo feature | backend | URI |
//! | --- | --- | --- |
//! | `pem` (default) | a local key file | `partner.pem`, `file:partner.xml` |
//! | `full` | all of them | |

mod signer_uri;

pub use signer_uri::{OpenSignerOptions, ParseSignerUriError, SignerUri};
pub use soticket_core::*;

/// The backend over a local key file.
#[cfg(feature = "pem")]
pub use soticket_signer_pem as pem;

/// The README's snippets, compiled.
#[cfg(all(doctest, feature = "pem"))]
#[doc = include_str!("../../../README.md")]
#[derive(Debug)]
pub struct Readme;
