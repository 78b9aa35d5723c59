//! The signer: a digest goes to the service, and a signature that verifies comes back.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::RequestId as _;
use aws_sdk_kms::operation::sign::SignOutput;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::MessageType;
use soticket_core::signer::{Exportability, Signature, SigningAlgorithm, prove_possession};
use soticket_core::{KeyInfo, SignerError, SignerErrorKind, TokenSigner};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::builder::{AwsKmsSignerBuilder, Verification};
use crate::client::{out_of_sight, prepared, region_for};
use crate::described::{Described, another_key};
use crate::fault::Place;
use crate::key::KmsKey;
use crate::uri::AwsKmsUri;

/// Signs with a key in AWS KMS. Messages are hashed here and stay on this machine.
pub struct AwsKmsSigner {
    client: Client,
    key: Described,
    place: Place,
    info: KeyInfo,
    grant_tokens: Option<Vec<String>>,
    turns: Semaphore,
    queue_timeout: Duration,
    verification: Verification,
}

impl AwsKmsSigner {
    /// A signer with `key`, over a client that the caller made; [`builder`](Self::builder) sets more.
    ///
    /// # Errors
    /// As [`AwsKmsSignerBuilder::build`].
    pub async fn new(client: Client, key: KmsKey) -> Result<Self, SignerError> {
        Self::builder(client, key).build().await
    }

    /// A signer with the key that `uri` names, over a client that [`AwsKmsUri::client`] makes.
    ///
    /// # Errors
    /// As [`AwsKmsUri::client`] and [`AwsKmsSignerBuilder::build`].
    pub async fn from_uri(uri: &AwsKmsUri) -> Result<Self, SignerError> {
        Self::new(uri.client().await?, uri.key().clone()).await
    }

    /// The key's own ARN, by which it signs, whatever its alias means by now.
    #[must_use]
    pub fn key_arn(&self) -> &str {
        &self.key.arn
    }

    pub(crate) async fn open(builder: AwsKmsSignerBuilder) -> Result<Self, SignerError> {
        let AwsKmsSignerBuilder { client, key, grant_tokens, concurrency, queue_timeout, verification } =
            builder;
        let place = Place { key: key.to_string(), arn: None, region: region_for(&client, &key)? };
        let client = prepared(&client);
        let grant_tokens = Some(grant_tokens).filter(|tokens| !tokens.is_empty());
        let request = client.get_public_key().key_id(key.as_str()).set_grant_tokens(grant_tokens.clone());
        let answer = out_of_sight(request.send()).await;
        let answer = answer.map_err(|error| place.failed("GetPublicKey", error))?;
        let described = Described::new(&place, &key, &answer)?;
        let place = Place { arn: Some(described.arn.clone()), ..place };
        let signer = Self {
            info: key_info(&key, &described),
            client,
            key: described,
            place,
            grant_tokens,
            turns: Semaphore::new(concurrency.get()),
            queue_timeout,
            verification,
        };
        if verification == Verification::Each {
            prove_possession(&signer).await?;
        }
        tracing::debug!(key = signer.key.arn, "signing with AWS KMS");
        Ok(signer)
    }

    /// Waits for one of the requests that may be under way at once.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, SignerError> {
        let waited = tokio::time::timeout(self.queue_timeout, self.turns.acquire()).await;
        waited.ok().and_then(Result::ok).ok_or_else(|| {
            let message = format!(
                "no turn came within {:?}, with all requests under way that are allowed at once; sign less often, or allow \
                 more",
                self.queue_timeout
            );
            self.place.error(SignerErrorKind::Transport, message)
        })
    }

    /// The signature in the form that verifiers expect, if the answer is about the key and the algorithm asked for.
    fn taken_from(&self, answer: &SignOutput) -> Result<Signature, SignerError> {
        let protocol = |message: &str| self.place.error(SignerErrorKind::Protocol, message);
        match answer.key_id() {
            Some(arn) if arn == self.key.arn => {}
            other => return Err(another_key(&self.place, other.unwrap_or_default())),
        }
        if answer.signing_algorithm().is_some_and(|used| *used != self.key.spec.signing) {
            return Err(protocol("kms:Sign answered with another algorithm than was asked for"));
        }
        let bytes =
            answer.signature().ok_or_else(|| protocol("kms:Sign answered without a signature"))?.as_ref();
        match self.info.algorithm() {
            // The service gives ECDSA-Sig-Value in DER (RFC 3279).
            SigningAlgorithm::Es256 => p256::ecdsa::Signature::from_der(bytes)
                .map(|signature| Signature::from_bytes(signature.to_bytes().to_vec()))
                .map_err(|cause| {
                    protocol("kms:Sign answered with no ECDSA signature in DER").with_source(cause)
                }),
            _ => Ok(Signature::from_bytes(bytes)),
        }
    }

    fn verified(&self, digest: &[u8; 32], signature: Signature) -> Result<Signature, SignerError> {
        if self.verification == Verification::Never {
            return Ok(signature);
        }
        self.info.public_key().verify_sha256(digest, &signature).map_err(|mismatch| {
            let message = format!(
                "a signature does not verify under the key's public half (SHA-256 {}), and was thrown away; find out what \
                 is behind the endpoint",
                self.info.public_key().fingerprint()
            );
            self.place.error(SignerErrorKind::Untrusted, message).with_source(mismatch)
        })?;
        Ok(signature)
    }
}

#[async_trait]
impl TokenSigner for AwsKmsSigner {
    fn key_info(&self) -> &KeyInfo {
        &self.info
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, message).as_ref());
        let turn = self.turn().await?;
        let request = self
            .client
            .sign()
            .key_id(&self.key.arn)
            .message_type(MessageType::Digest)
            .message(Blob::new(hash))
            .signing_algorithm(self.key.spec.signing.clone())
            .set_grant_tokens(self.grant_tokens.clone());
        let answer = out_of_sight(request.send()).await;
        drop(turn);
        let answer = answer.map_err(|error| self.place.failed("Sign", error))?;
        // CloudTrail has neither message nor signature, but the request.
        tracing::debug!(key = self.key.arn, request = answer.request_id(), "AWS KMS signed");
        self.verified(&hash, self.taken_from(&answer)?)
    }
}

impl fmt::Debug for AwsKmsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKmsSigner").field("key", &self.key.arn).finish_non_exhaustive()
    }
}

fn key_info(key: &KmsKey, described: &Described) -> KeyInfo {
    KeyInfo::new(described.public_key.clone(), BACKEND, key.as_str(), &described.arn)
        .with_exportability(Exportability::NonExportable)
        .with_attribute("KeySpec", described.spec.key.as_str())
        .with_attribute("SigningAlgorithm", described.spec.signing.as_str())
}

/// The backend's short name.
pub const BACKEND: &str = "aws-kms";
