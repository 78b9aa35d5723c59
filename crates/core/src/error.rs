//! Why an exchange or a validation failed: one opaque error, sorted by who must act.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::jwt::TrustRule;
use crate::refusal::Refusal;
use crate::signer::{SignerError, SignerErrorKind};

/// Why no ticket was got.
///
/// The message names the thing and the next step and never holds a secret or a whole answer; the cause is the
/// [`source`](StdError::source). Cheap to clone, so that several waiters can share one failure.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: Arc<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into(), source: None }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn untrusted(rule: TrustRule, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Untrusted(rule), message)
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        Self::new(ErrorKind::Refused(refusal), message)
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Says more about the same failure.
    pub(crate) fn with_note(mut self, note: impl fmt::Display) -> Self {
        self.message = format!("{}; {note}", self.message).into();
        self
    }

    /// Who must act.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether the same call may succeed a little later with nothing changed by anybody.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Transport | ErrorKind::Signer(SignerErrorKind::Transport))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<SignerError> for Error {
    fn from(error: SignerError) -> Self {
        Self::new(ErrorKind::Signer(error.kind()), "the signer failed").with_source(error)
    }
}

/// Who must act on an [`Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Whoever configured the client.
    Configuration,
    /// Whoever the signer's own kind says.
    Signer(SignerErrorKind),
    /// Whoever SuperOffice's reason says: the tenant's administrator, the application's owner.
    Refused(Refusal),
    /// Nobody yet: the network or the service failed, after retries.
    Transport,
    /// SuperOffice, or a proxy between: the answer is none that the protocol knows.
    Protocol,
    /// Nobody should go on: a trust rule does not hold.
    Untrusted(TrustRule),
    /// Us.
    Bug,
}
