//! Clients, and what is said of errors.

use std::error::Error as StdError;

use soticket_core::{Signature, SignerError, TokenSigner as _};
use soticket_signer_aws_kms::aws_sdk_kms::Client;
use soticket_signer_aws_kms::aws_sdk_kms::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use soticket_signer_aws_kms::{AwsKmsSigner, KmsError, KmsKey};

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const MESSAGE: &[u8] = b"My App-pzqc70604i.202611231559";

/// The settings of a client with these credentials, before it is one.
pub(crate) fn settings(url: &str, id: &str, secret: &str) -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(url)
        .credentials_provider(Credentials::new(id, secret, None, None, "test"))
}

pub(crate) fn client(url: &str) -> Client {
    Client::from_conf(settings(url, "test", "test").build())
}

pub(crate) async fn signer(client: &Client, key: &str) -> Result<AwsKmsSigner, SignerError> {
    AwsKmsSigner::new(client.clone(), named(key)).await
}

pub(crate) fn named(key: &str) -> KmsKey {
    key.parse().unwrap()
}

pub(crate) async fn sign(signer: &AwsKmsSigner) -> Result<Signature, SignerError> {
    signer.sign(MESSAGE).await
}

/// An error with all its causes.
pub(crate) fn whole(error: &(dyn StdError + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join("; caused by: ")
}

/// The service's own code.
pub(crate) fn code(error: &SignerError) -> Option<&str> {
    error.source()?.downcast_ref::<KmsError>()?.code()
}
