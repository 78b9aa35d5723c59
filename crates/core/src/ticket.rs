//! The system user ticket: the secret itself, what the service said with it, when it ends, and ready-made headers.

mod claims;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};

pub use claims::Claims;

use crate::client_secret::ClientSecret;
use crate::exchange::ClockSkew;
use crate::secret::SecretText;

/// How long a ticket is good for, counted from its issue or its last use against the API.
pub const DEFAULT_TICKET_LIFETIME: Duration = Duration::from_secs(6 * 60 * 60);

/// The header in which the API takes the client secret.
pub const APP_TOKEN_HEADER: HeaderName = HeaderName::from_static("so-apptoken");

/// The credential for a tenant's API, after every trust rule has held.
///
/// Cheap to clone: clones share everything but when they were last known to be used.
#[derive(Debug, Clone)]
pub struct SystemUserTicket {
    issued: Arc<Issued>,
    used_at: Timestamp,
}

/// What came of one exchange.
#[derive(Debug)]
struct Issued {
    ticket: Ticket,
    client_secret: ClientSecret,
    claims: Claims,
    at: Timestamp,
    lifetime: Duration,
    clock_skew: Option<ClockSkew>,
}

impl SystemUserTicket {
    /// Fails when the ticket cannot stand in a header; then nothing could be done with it.
    pub(crate) fn new(
        ticket: SecretText,
        client_secret: ClientSecret,
        claims: Claims,
        issued_at: Timestamp,
        lifetime: Duration,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        let ticket = Ticket::new(ticket)?;
        let issued = Issued { ticket, client_secret, claims, at: issued_at, lifetime, clock_skew: None };
        Ok(Self { issued: Arc::new(issued), used_at: issued_at })
    }

    pub(crate) fn with_clock_skew(mut self, skew: Option<ClockSkew>) -> Self {
        // Nobody else has it yet.
        if let Some(issued) = Arc::get_mut(&mut self.issued) {
            issued.clock_skew = skew;
        }
        self
    }

    /// The same ticket, last used then.
    pub(crate) fn used_at(&self, at: Timestamp) -> Self {
        Self { issued: Arc::clone(&self.issued), used_at: at }
    }

    /// Whether both are the same ticket, whenever they were used.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.issued, &other.issued)
            || self.issued.ticket.secret.is_same_as(&other.issued.ticket.secret)
    }

    /// The ticket itself, a text like `7T:…==`.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.issued.ticket.secret.expose()
    }

    /// What the service said of the system user and the tenant.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.issued.claims
    }

    /// When the ticket was asked for, by our clock; it was issued then or, as long as its answer took, later.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued.at
    }

    /// How long it is good for, counted from its issue or its last use.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.issued.lifetime
    }

    /// When it was issued, or last used as far as was known when it was handed out.
    #[must_use]
    pub fn last_used_at(&self) -> Timestamp {
        self.used_at
    }

    /// When the ticket ends if it is not used until then; each use against the API starts its lifetime anew.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        let lifetime = SignedDuration::try_from(self.issued.lifetime).unwrap_or(SignedDuration::MAX);
        self.used_at.saturating_add(lifetime).unwrap_or(Timestamp::MAX)
    }

    /// How wrong our clock was, where the service's differed by more than the client's limit.
    #[must_use]
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.issued.clock_skew
    }

    /// `Authorization: SOTicket <ticket>`, the value; marked as sensitive.
    #[must_use]
    pub fn authorization_header(&self) -> HeaderValue {
        self.issued.ticket.header.clone()
    }

    /// `SO-AppToken: <client secret>`, the value; marked as sensitive.
    #[must_use]
    pub fn app_token_header(&self) -> HeaderValue {
        // A client secret is printable ASCII, so this is no fall-back that can be met.
        let value = HeaderValue::from_str(self.issued.client_secret.expose());
        sensitive(value.unwrap_or_else(|_| HeaderValue::from_static("")))
    }

    /// Both headers of a call to the tenant's API.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([
            (AUTHORIZATION, self.authorization_header()),
            (APP_TOKEN_HEADER, self.app_token_header()),
        ])
    }
}

/// A ticket that is known to fit into a header.
struct Ticket {
    secret: SecretText,
    header: HeaderValue,
}

impl Ticket {
    fn new(secret: SecretText) -> Result<Self, http::header::InvalidHeaderValue> {
        let text = zeroize::Zeroizing::new(format!("{SCHEME} {}", secret.expose()));
        let header = sensitive(HeaderValue::from_str(&text)?);
        Ok(Self { secret, header })
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

const SCHEME: &str = "SOTicket";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn ticket(text: &str) -> Result<SystemUserTicket, http::header::InvalidHeaderValue> {
        SystemUserTicket::new(
            SecretText::new(text.into()),
            "app-secret".parse().unwrap(),
            Claims::new(Map::new()),
            Timestamp::UNIX_EPOCH,
            DEFAULT_TICKET_LIFETIME,
        )
    }

    #[test]
    fn headers_are_as_the_api_wants_them_and_sensitive() {
        let headers = ticket("7T:abc==").unwrap().headers();
        assert_eq!(headers["Authorization"], "SOTicket 7T:abc==");
        assert_eq!(headers["SO-AppToken"], "app-secret");
        assert!(headers.values().all(HeaderValue::is_sensitive));
    }

    #[test]
    fn a_ticket_ends_six_hours_after_its_issue() {
        let ends = ticket("7T:abc==").unwrap().expires_at();
        assert_eq!(ends.duration_since(Timestamp::UNIX_EPOCH), SignedDuration::from_hours(6));
    }

    #[test]
    fn a_ticket_that_would_break_a_header_is_none() {
        assert!(ticket("7T:abc\r\nX-Evil: 1").is_err());
    }

    #[test]
    fn a_use_moves_the_end_of_that_clone_alone() {
        let fresh = ticket("7T:abc==").unwrap();
        let later = Timestamp::from_second(3600).unwrap();
        let used = fresh.used_at(later);
        assert!(used.is_same_as(&fresh) && !used.is_same_as(&ticket("7T:xyz==").unwrap()));
        assert!(used.is_same_as(&ticket("7T:abc==").unwrap()), "the ticket counts, not where it came from");
        assert_eq!(used.expires_at().duration_since(later), SignedDuration::from_hours(6));
        assert_eq!(fresh.expires_at().duration_since(later), SignedDuration::from_hours(5));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", ticket("7T:abc==").unwrap());
        assert!(!shown.contains("7T:abc") && !shown.contains("app-secret"), "{shown}");
    }
}
