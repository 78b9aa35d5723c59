//! Where a tenant lives and how it is, as the state endpoint tells without credentials.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use super::address;
use super::state::TenantState;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::exchange::{ClockSkew, SystemUserClient};
use crate::http::{Answer, HttpClient};
use crate::tenant::ContextIdentifier;

/// A tenant's state and address, good until [`valid_until`](Self::valid_until): tenants move as a matter of course.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantStatus {
    /// How it is.
    pub state: TenantState,
    /// Whether its API answers.
    pub is_running: bool,
    /// Where its users go, if it is said.
    pub endpoint: Option<Url>,
    /// The base of its API, which a ticket may be sent to: `https` and SuperOffice's, or, in an environment of one's own,
    /// `https` or this machine's. A tenant that is not there has none.
    pub api: Option<Url>,
    /// Until when that holds, by our clock; between [`MIN_VALIDITY`](Self::MIN_VALIDITY) and
    /// [`MAX_VALIDITY`](Self::MAX_VALIDITY) from its arrival, whatever the service says.
    pub valid_until: Timestamp,
    /// The release that it runs, if it is said.
    pub version: Option<String>,
}

impl TenantStatus {
    /// For how long a status holds at the least, and when the service does not say for how long.
    pub const MIN_VALIDITY: Duration = Duration::from_secs(60);
    /// For how long a status holds at the most.
    pub const MAX_VALIDITY: Duration = Duration::from_secs(24 * 60 * 60);
    /// How many characters of the version are kept.
    pub const MAX_VERSION_LENGTH: usize = 100;

    fn decode(
        answer: &Answer,
        context: &ContextIdentifier,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let wire: Wire = serde_json::from_slice(&answer.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            unusable(context, format_args!("not the JSON that is documented (line {line}, column {column})"))
        })?;
        if wire.context_identifier.as_ref().is_some_and(|told| !context.is_named_by(told)) {
            return Err(unusable(context, "another tenant's"));
        }
        let state = wire.state.map_or_else(|| TenantState::Other(String::new()), TenantState::from);
        let api = wire.api.filter(|text| !text.is_empty());
        let api = api.map(|text| address::trusted(&text, context, environment)).transpose()?;
        Ok(Self {
            is_running: wire.is_running.unwrap_or_else(|| state.is_running()),
            state,
            endpoint: wire.endpoint.and_then(|text| Url::parse(&text).ok()),
            api,
            valid_until: valid_until(wire.valid_until.as_deref(), answer),
            version: wire.version.map(|text| crate::refusal::escape(&text, Self::MAX_VERSION_LENGTH)),
        })
    }
}

impl SystemUserClient {
    /// Asks where a tenant lives and how it is. No credentials are sent, and nothing is kept.
    ///
    /// # Errors
    /// When the state endpoint cannot be reached or does not answer as documented;
    /// [`TrustRule::TenantAddress`](crate::TrustRule::TenantAddress) when it names an address that no ticket may be sent to.
    pub async fn tenant_status(&self, context: &ContextIdentifier) -> Result<TenantStatus, Error> {
        self.tenant_status_by(self.http(), context).await
    }

    pub(crate) async fn tenant_status_by(
        &self,
        http: &HttpClient,
        context: &ContextIdentifier,
    ) -> Result<TenantStatus, Error> {
        let url = self.environment().tenant_state_url(context);
        let answer = http.send(|| http.get(&url)).await?;
        TenantStatus::decode(&answer, context, self.environment())
    }
}

fn unusable(context: &ContextIdentifier, what: impl std::fmt::Display) -> Error {
    let message = format!("the state of {context} is {what}; check the environment and any proxy between");
    Error::new(ErrorKind::Protocol, message)
}

/// By our clock; what the service's clock says is left to the service, where it tells the time.
fn valid_until(text: Option<&str>, answer: &Answer) -> Timestamp {
    let skew = answer.date.map(|date| ClockSkew::between(date, answer.received));
    let theirs = skew.map_or(answer.received, |skew| skew.shift(answer.received));
    let told = text.and_then(timestamp).map(|until| until.duration_since(theirs));
    let validity = told.and_then(|told| Duration::try_from(told).ok()).unwrap_or(TenantStatus::MIN_VALIDITY);
    let validity = validity.clamp(TenantStatus::MIN_VALIDITY, TenantStatus::MAX_VALIDITY);
    let validity = SignedDuration::try_from(validity).unwrap_or(SignedDuration::ZERO);
    answer.received.saturating_add(validity).unwrap_or(Timestamp::MAX)
}

/// Also without an offset, as .NET writes times whose kind it does not know.
fn timestamp(text: &str) -> Option<Timestamp> {
    let without_offset = || Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    text.parse().ok().or_else(without_offset)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    context_identifier: Option<String>,
    state: Option<WireState>,
    is_running: Option<bool>,
    endpoint: Option<String>,
    api: Option<String>,
    valid_until: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireState {
    Number(u64),
    Name(String),
}

impl From<WireState> for TenantState {
    fn from(state: WireState) -> Self {
        match state {
            WireState::Number(number) => Self::numbered(number),
            WireState::Name(name) => Self::named(&name),
        }
    }
}

#[cfg(test)]
mod tests;
