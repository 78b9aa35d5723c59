//! A [`TokenSigner`](soticket_core::TokenSigner) over AWS KMS: the private key stays in the service, and only
//! digests go there.
//!
//! [`AwsKmsSigner`] asks for the public key once, signs by the key's own ARN from then on, so that an alias that is
//! pointed elsewhere changes nothing, and verifies each signature before it hands it out. Who must act on a failure,
//! and how, is in the error, with the service's own code and request id.
//!
//! ```no_run
//! use soticket_signer_aws_kms::{AwsKmsSigner, AwsKmsUri};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let uri: AwsKmsUri = "awskms:///alias/partner?region=eu-central-1".parse()?;
//! let signer = AwsKmsSigner::from_uri(&uri).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A program that has a client of its own, with its own credentials, hands it over:
//!
//! ```no_run
//! # async fn run(client: aws_sdk_kms::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use soticket_signer_aws_kms::AwsKmsSigner;
//!
//! let signer = AwsKmsSigner::new(client, "alias/partner".parse()?).await?;
//! # Ok(())
//! # }
//! ```

mod builder;
mod client;
mod described;
mod fault;
mod import;
mod key;
mod signer;
mod uri;

/// The SDK whose client a signer takes, in the version that it takes.
pub use aws_sdk_kms;

pub use builder::{AwsKmsSignerBuilder, DEFAULT_CONCURRENCY, DEFAULT_QUEUE_TIMEOUT, Verification};
pub use client::{ATTEMPT_TIMEOUT, CONNECT_TIMEOUT, MAX_ATTEMPTS, OPERATION_TIMEOUT};
pub use fault::KmsError;
pub use import::{ImportedKey, import_key};
pub use key::{KmsKey, ParseKmsKeyError};
pub use signer::{AwsKmsSigner, BACKEND};
pub use uri::{AwsKmsUri, ParseAwsKmsUriError};
