//! SuperOffice system user tickets, with the partner key where policy wants it.
//!
//! This crate is what a program depends on: all of [`soticket_core`], and a signer for each backend that a
//! cargo feature brings in, named by a [`SignerUri`].
//!
//! | cargo feature | backend | URI |
//! | --- | --- | --- |
//! | `pem` (default) | a local key file | `partner.pem`, `file:partner.xml` |
//! | `pkcs11` | a PKCS#11 token: an HSM or a smart card | `pkcs11:token=…;object=…?module-path=…` |
//! | `aws-kms` | AWS KMS | `awskms:///alias/partner?region=eu-central-1` |
//! | `full` | all of them | |
//!
//! The feature `soap` (default) is the exchange over SOAP beside REST. What [`store`] keeps tickets in beyond this process
//! comes by the feature `file-store` (default).

mod options;
mod signer_uri;
pub mod store;

pub use options::OpenSignerOptions;
pub use signer_uri::{ParseSignerUriError, SignerUri};
pub use soticket_core::*;

/// The backend over a local key file.
#[cfg(feature = "pem")]
pub use soticket_signer_pem as pem;

/// The backend over AWS KMS.
#[cfg(feature = "aws-kms")]
pub use soticket_signer_aws_kms as aws_kms;

/// The backend over PKCS#11 tokens.
#[cfg(feature = "pkcs11")]
pub use soticket_signer_pkcs11 as pkcs11;

/// The README's snippets, compiled.
#[cfg(all(doctest, feature = "pem"))]
#[doc = include_str!("../../../README.md")]
#[derive(Debug)]
pub struct Readme;

/// The snippets of the page on calls to tenants' APIs, compiled.
#[cfg(all(doctest, feature = "pem"))]
#[doc = include_str!("../../../docs/api-client.md")]
#[derive(Debug)]
pub struct ApiClientPage;

/// The snippets of the page on tickets, compiled.
#[cfg(all(doctest, feature = "pem", feature = "file-store"))]
#[doc = include_str!("../../../docs/tickets.md")]
#[derive(Debug)]
pub struct TicketsPage;
