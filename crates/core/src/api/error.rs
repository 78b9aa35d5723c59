//! Why a call to a tenant's API has no answer, sorted by who must act.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::state::TenantState;
use crate::error::{Error, ErrorKind};
use crate::signer::SignerErrorKind;
use crate::tenant::ContextIdentifier;

/// Why a call to a tenant's API has no answer.
///
/// The message names the tenant and the next step and never holds a secret, a path or a body; the cause is the
/// [`source`](StdError::source). Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiError {
    kind: ApiErrorKind,
    message: Arc<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl ApiError {
    fn new(kind: ApiErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into(), source: None }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ApiErrorKind::Configuration, message)
    }

    pub(crate) fn ticket(context: &ContextIdentifier, error: Error) -> Self {
        let kind = ApiErrorKind::Ticket(error.kind().clone());
        Self::new(kind, format!("there is no ticket for {context}")).with_source(error)
    }

    pub(crate) fn state(context: &ContextIdentifier, error: Error) -> Self {
        let kind = ApiErrorKind::State(error.kind().clone());
        Self::new(kind, format!("it is not known where the API of {context} is")).with_source(error)
    }

    pub(crate) fn tenant_down(context: &ContextIdentifier, state: &TenantState) -> Self {
        let advice = state.advice();
        let message = format!("the API of {context} does not run: its state is {state}; {advice}");
        Self::new(ApiErrorKind::TenantDown(state.clone()), message)
    }

    pub(crate) fn misdirected(context: &ContextIdentifier) -> Self {
        let message = format!(
            "{context} is not where its state says (421 Misdirected Request); it may just be moved, so try again later"
        );
        Self::new(ApiErrorKind::Misdirected, message)
    }

    /// A call that broke on its way.
    pub(crate) fn call(context: &ContextIdentifier, error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Transport => ApiErrorKind::Transport,
            ErrorKind::Configuration => ApiErrorKind::Configuration,
            other => ApiErrorKind::Call(other.clone()),
        };
        Self::new(kind, format!("the API of {context} could not be called")).with_source(error)
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Who must act.
    #[must_use]
    pub fn kind(&self) -> &ApiErrorKind {
        &self.kind
    }

    /// Whether the same call may succeed a little later with nothing changed by anybody.
    ///
    /// After [`ApiErrorKind::Transport`] it is not known whether the call was carried out.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        use ApiErrorKind as K;
        match &self.kind {
            K::Transport | K::Misdirected => true,
            K::TenantDown(state) => state.is_passing(),
            K::Ticket(kind) | K::State(kind) | K::Call(kind) => {
                matches!(kind, ErrorKind::Transport | ErrorKind::Signer(SignerErrorKind::Transport))
            }
            K::Configuration => false,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ApiError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Who must act on an [`ApiError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiErrorKind {
    /// Whoever wrote the call or configured the client.
    Configuration,
    /// Whoever the exchange's own kind says: there is no ticket. The source is the [`Error`].
    Ticket(ErrorKind),
    /// Whoever that kind says: the state endpoint does not tell where the tenant lives. The source is the [`Error`].
    State(ErrorKind),
    /// Nobody, or the tenant's owner: the tenant is in a state in which its API does not answer; see
    /// [`TenantState::advice`].
    TenantDown(TenantState),
    /// Nobody yet: the tenant is not where its state says, also not when that was asked for again.
    Misdirected,
    /// Nobody yet: the call broke on its way. It may have been carried out.
    Transport,
    /// Whoever that kind says: the way to the API cannot be trusted. The source is the [`Error`].
    Call(ErrorKind),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> ContextIdentifier {
        "Cust12345".parse().unwrap()
    }

    #[test]
    fn a_tenant_that_is_down_is_said_to_be_so_with_what_to_do() {
        let waits = ApiError::tenant_down(&context(), &TenantState::OfflineMaintenance);
        assert!(waits.is_retryable() && waits.to_string().contains("OfflineMaintenance"), "{waits}");
        let gone = ApiError::tenant_down(&context(), &TenantState::Deleted);
        assert!(!gone.is_retryable() && gone.to_string().contains("forget the tenant"), "{gone}");
    }

    #[test]
    fn a_cause_is_linked_and_decides_whether_to_try_again() {
        let cause = Error::new(ErrorKind::Transport, "the cause");
        let error = ApiError::ticket(&context(), cause);
        assert!(error.is_retryable() && !error.to_string().contains("the cause"));
        assert_eq!(error.source().unwrap().to_string(), "the cause");
        let refused = ApiError::state(&context(), Error::new(ErrorKind::Protocol, "the cause"));
        assert!(!refused.is_retryable());
    }
}
