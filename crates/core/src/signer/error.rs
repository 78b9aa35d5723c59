//! Why a signer failed, and who must act.

use std::error::Error as StdError;
use std::fmt;

/// Why a signer could not be built or could not sign.
///
/// The message names the thing and the next step and never holds a secret; the backend's own error, with
/// its code, is the [`source`](StdError::source).
#[derive(Debug)]
pub struct SignerError {
    kind: SignerErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SignerError {
    /// An error of `kind`; `message` in lower case, without a full stop, and without secrets.
    #[must_use]
    pub fn new(kind: SignerErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Links the cause, which the message then does not repeat.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Who must act.
    #[must_use]
    pub fn kind(&self) -> SignerErrorKind {
        self.kind
    }

    /// Whether the same call may succeed a little later with nothing changed by anybody.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind == SignerErrorKind::Transport
    }
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for SignerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Who must act on a [`SignerError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignerErrorKind {
    /// Whoever configured the signer: a path, a URI, an option is wrong.
    Configuration,
    /// The owner of the key: it is missing, of the wrong kind, damaged or locked by a passphrase.
    Key,
    /// The administrator of the device or service, which refused: a wrong PIN, no permission.
    Refused,
    /// Nobody yet: the device or service could not be reached or was busy.
    Transport,
    /// The maker of the backend: it answered what its specification does not allow.
    Protocol,
    /// Whoever watches over the key: a signature did not verify under the expected public key.
    Untrusted,
    /// Us.
    Bug,
}
