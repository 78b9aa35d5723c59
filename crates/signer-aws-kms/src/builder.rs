//! What an [`AwsKmsSigner`] is built from.

use std::num::NonZeroUsize;
use std::time::Duration;

use aws_sdk_kms::Client;
use soticket_core::SignerError;

use crate::key::KmsKey;
use crate::signer::AwsKmsSigner;

/// What an [`AwsKmsSigner`] is built from.
#[derive(Debug)]
pub struct AwsKmsSignerBuilder {
    pub(crate) client: Client,
    pub(crate) key: KmsKey,
    pub(crate) grant_tokens: Vec<String>,
    pub(crate) concurrency: NonZeroUsize,
    pub(crate) queue_timeout: Duration,
    pub(crate) verification: Verification,
}

/// Whether signatures are verified before they are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verification {
    /// Each, under the public key that the service told when the signer was built, and one probe at once. Costs some
    /// ten microseconds a signature, and one paid request when the signer is built.
    #[default]
    Each,
    /// None, and no probe: for callers who pay for each request and verify themselves.
    Never,
}

impl AwsKmsSigner {
    /// Starts to build a signer with `key`, over a client that the caller made. A client without any time limit gets
    /// this crate's; its retries, credentials and endpoint stay its own. While it calls, nothing is logged by `tracing`: the
    /// SDK would log signatures at its finest level.
    #[must_use]
    pub fn builder(client: Client, key: KmsKey) -> AwsKmsSignerBuilder {
        AwsKmsSignerBuilder {
            client,
            key,
            grant_tokens: Vec::new(),
            concurrency: DEFAULT_CONCURRENCY,
            queue_timeout: DEFAULT_QUEUE_TIMEOUT,
            verification: Verification::default(),
        }
    }
}

impl AwsKmsSignerBuilder {
    /// Grant tokens to send along, while a grant that is new has not reached all of the service.
    #[must_use]
    pub fn with_grant_tokens(mut self, tokens: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.grant_tokens = tokens.into_iter().map(Into::into).collect();
        self
    }

    /// How many signatures are asked for at once, [`DEFAULT_CONCURRENCY`] without this; further ones wait. Keeps a burst
    /// under the account's request quota, which all its users in a Region share.
    #[must_use]
    pub fn with_concurrency(mut self, requests: NonZeroUsize) -> Self {
        self.concurrency = requests;
        self
    }

    /// How long a signature may wait for its turn, [`DEFAULT_QUEUE_TIMEOUT`] without this.
    #[must_use]
    pub fn with_queue_timeout(mut self, timeout: Duration) -> Self {
        self.queue_timeout = timeout;
        self
    }

    /// Whether signatures are verified before they are handed out; without this, each is.
    #[must_use]
    pub fn with_verification(mut self, verification: Verification) -> Self {
        self.verification = verification;
        self
    }

    /// Asks for the public key, sees that the key signs as it is needed, and proves it by a probe.
    ///
    /// Needs `kms:GetPublicKey` and `kms:Sign` on the key.
    ///
    /// # Errors
    /// When the key is not there, may not be used, is disabled or of another kind, when the ARN's Region is not the
    /// client's, when there are no credentials, or when the service cannot be reached.
    pub async fn build(self) -> Result<AwsKmsSigner, SignerError> {
        AwsKmsSigner::open(self).await
    }
}

/// Signatures that are asked for at once, unless told otherwise. Even if a request took ten milliseconds only, they would make
/// 800 a second: the quota that accounts begin with is 1,000.
pub const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// How long a signature may wait for its turn, unless told otherwise.
pub const DEFAULT_QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
