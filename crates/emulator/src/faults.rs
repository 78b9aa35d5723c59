//! Faults on demand: which, where and how often.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::jwt::defect::JwtDefect;
use crate::refusal::Refusal;

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// The exchange, in either form.
    Exchange,
    /// The discovery document.
    Discovery,
    /// The key set.
    Jwks,
    /// Tenants' states.
    State,
    /// Tenants' APIs.
    Api,
    /// Everywhere.
    #[default]
    All,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// This many times.
    Count(u32),
    /// Until it is cleared.
    UntilCleared,
}

impl Times {
    /// One time.
    pub const ONCE: Self = Self::Count(1);
}

/// The body of a faulty answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultyBody {
    /// None.
    #[default]
    Empty,
    /// An error page.
    Html,
    /// Bytes that are no text.
    Garbage,
    /// This many bytes, streamed.
    Huge(u64),
}

/// The two forms of `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// In seconds.
    Seconds(u32),
    /// As an HTTP date, this many seconds from now.
    Date(u32),
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "fields say what their fault says")]
pub enum Fault {
    /// The answer comes late, by milliseconds.
    Latency { milliseconds: u64 },
    /// The connection ends before an answer.
    Drop,
    /// The connection ends in the middle of the body.
    DropMidBody,
    /// Another status.
    Status {
        status: u16,
        #[serde(default)]
        body: FaultyBody,
    },
    /// 429 with `Retry-After`.
    TooManyRequests { retry_after: RetryAfter },
    /// A redirect: 302 or 307, say.
    Redirect { status: u16, location: String },
    /// The `Date` header is off, by seconds.
    WrongDate { seconds: i64 },
    /// A refusal, with a text of its own if need be. Exchange only.
    Refusal {
        code: Refusal,
        #[serde(default)]
        text: Option<String>,
    },
    /// `IsSuccessful` without a token. Exchange only.
    WithoutToken,
    /// A SAML assertion for a token. Exchange only.
    SamlToken,
    /// The service breaks down over it: 500, over SOAP with a fault. Exchange only.
    InternalError,
    /// A broken JWT. Exchange only.
    Jwt { defect: JwtDefect },
    /// A key set without keys. Key set only.
    EmptyKeySet,
    /// A key set of broken keys. Key set only.
    GarbageKeys,
    /// The tenant's API is said to be at another address. State only.
    OtherAddress { api: String },
}

impl Fault {
    /// Latency of this length.
    #[must_use]
    pub fn latency(by: Duration) -> Self {
        Self::Latency { milliseconds: u64::try_from(by.as_millis()).unwrap_or(u64::MAX) }
    }

    /// A broken JWT.
    #[must_use]
    pub fn jwt(defect: JwtDefect) -> Self {
        Self::Jwt { defect }
    }

    fn fits(&self, at: Scope) -> bool {
        match self {
            Self::Refusal { .. }
            | Self::WithoutToken
            | Self::SamlToken
            | Self::InternalError
            | Self::Jwt { .. } => at == Scope::Exchange,
            Self::EmptyKeySet | Self::GarbageKeys => at == Scope::Jwks,
            Self::OtherAddress { .. } => at == Scope::State,
            _ => true,
        }
    }

    /// Whether other faults can strike beside this one.
    fn is_modifier(&self) -> bool {
        matches!(self, Self::Latency { .. } | Self::WrongDate { .. })
    }
}

/// A fault with its place and number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the types say it")]
pub struct FaultRule {
    pub scope: Scope,
    /// The tenant that it strikes, whatever the case of its name; all of them, and requests that concern none, without.
    pub context: Option<String>,
    pub times: Times,
    pub fault: Fault,
}

impl FaultRule {
    fn concerns(&self, context: Option<&str>) -> bool {
        self.context.as_deref().is_none_or(|own| context.is_some_and(|at| own.eq_ignore_ascii_case(at)))
    }
}

/// The faults in wait. Clones share one queue.
///
/// Of the faults that fit a request, latency and wrong dates all strike; of the rest, the
/// one queued first.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<FaultRule>>>);

impl Faults {
    /// Adds a fault at the end of the queue.
    pub fn queue(&self, scope: Scope, times: Times, fault: Fault) {
        self.lock().push(FaultRule { scope, context: None, times, fault });
    }

    /// Adds a fault at the end of the queue that strikes one tenant only.
    pub fn queue_for(&self, context: impl Into<String>, scope: Scope, times: Times, fault: Fault) {
        self.lock().push(FaultRule { scope, context: Some(context.into()), times, fault });
    }

    /// Puts `rules` in the place of all faults in wait.
    pub fn set(&self, rules: Vec<FaultRule>) {
        *self.lock() = rules;
    }

    /// Ends all faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The faults in wait.
    #[must_use]
    pub fn pending(&self) -> Vec<FaultRule> {
        self.lock().clone()
    }

    /// The faults that strike a request at `at` that concerns the tenant `context`: they are counted down.
    pub(crate) fn take(&self, at: Option<Scope>, context: Option<&str>) -> Vec<Fault> {
        let mut rules = self.lock();
        let mut taken: Vec<Fault> = Vec::new();
        for rule in rules.iter_mut() {
            let fits = (rule.scope == Scope::All || at == Some(rule.scope)) && rule.concerns(context);
            let room = rule.fault.is_modifier() || taken.iter().all(Fault::is_modifier);
            if fits && room && rule.fault.fits(at.unwrap_or(Scope::All)) && rule.times != Times::Count(0) {
                if let Times::Count(left) = &mut rule.times {
                    *left -= 1;
                }
                taken.push(rule.fault.clone());
            }
        }
        rules.retain(|rule| rule.times != Times::Count(0));
        taken
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<FaultRule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
