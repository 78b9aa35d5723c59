//! The exchange: a signed system token goes out, a JWT comes back, is validated and becomes a ticket.

mod builder;
mod clock_skew;
mod message;
mod rest;
#[cfg(feature = "soap")]
pub(crate) mod soap;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use builder::SystemUserClientBuilder;
pub use clock_skew::ClockSkew;
#[cfg(feature = "soap")]
pub use soap::SoapFault;
pub use transport::Transport;

use crate::client_secret::ClientSecret;
use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::exchange::clock_skew::ShiftedClock;
use crate::exchange::message::{ExchangeRequest, Outcome};
use crate::http::HttpClient;
use crate::jwt::UnvalidatedJwt;
use crate::jwt::validator::{JwtValidator, KeySource};
use crate::refusal::Refusal;
use crate::secret::SecretText;
use crate::signer::{KeyInfo, TokenSigner};
use crate::store::TicketKey;
use crate::system_token::SignedSystemToken;
use crate::tenant::Tenant;
use crate::ticket::{Claims, SystemUserTicket};

/// Gets system user tickets for the tenants of one application in one environment.
///
/// Cheap to clone, and made to be shared. It keeps nothing but the JWKS: each [`ticket`](Self::ticket) is one
/// exchange, which costs the tenant a database record, so keep tickets for as long as they live.
#[derive(Debug, Clone)]
pub struct SystemUserClient {
    inner: Arc<Inner>,
}

struct Inner {
    environment: Environment,
    transport: Transport,
    client_secret: ClientSecret,
    signer: Arc<dyn TokenSigner>,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    validator: JwtValidator,
    skew_limit: Duration,
    ticket_lifetime: Duration,
}

impl SystemUserClient {
    /// Begins to build a client; the signer's key is the application's registered one.
    pub fn builder(
        environment: Environment,
        client_secret: ClientSecret,
        signer: impl TokenSigner,
    ) -> SystemUserClientBuilder {
        SystemUserClientBuilder::new(environment, client_secret, Arc::new(signer))
    }

    /// Exchanges the tenant's system user token for a ticket, and trusts it only after every rule has held.
    ///
    /// # Errors
    /// The [kind](Error::kind) says who must act. After a failure on the way it is not known whether the
    /// service issued a ticket.
    pub async fn ticket(&self, tenant: &Tenant) -> Result<SystemUserTicket, Error> {
        let Exchanged { jwt, skew, asked_at } = self.exchange(tenant).await?;
        let now = self.inner.clock.now();
        let ticket = match (self.validate_at(&jwt, tenant, now, asked_at).await, skew) {
            // The answer came over TLS from whom we asked, and a JWT that is too old holds a ticket that has
            // ended: where the clocks differ, the service may be right, and nothing is gained by lying.
            (Err(error), Some(skew)) if is_about_time(&error) => {
                let by_their_clock = self.validate_at(&jwt, tenant, skew.shift(now), asked_at).await;
                by_their_clock.map_err(|_| error.with_note(skew))?
            }
            (outcome, _) => outcome?,
        };
        Ok(ticket.with_clock_skew(skew))
    }

    /// Exchanges as [`ticket`](Self::ticket) does, and returns the JWT as it came.
    ///
    /// # Errors
    /// As [`ticket`](Self::ticket), but for the trust rules of the JWT.
    pub async fn jwt(&self, tenant: &Tenant) -> Result<UnvalidatedJwt, Error> {
        Ok(self.exchange(tenant).await?.jwt)
    }

    /// Holds a JWT against every rule, by our clock, without an exchange.
    ///
    /// # Errors
    /// [`ErrorKind::Untrusted`] names the first rule that does not hold; other kinds when the JWKS cannot be had.
    pub async fn validate(&self, jwt: &UnvalidatedJwt, tenant: &Tenant) -> Result<SystemUserTicket, Error> {
        let now = self.inner.clock.now();
        self.validate_at(jwt, tenant, now, now).await
    }

    /// Fetches the JWKS, or counts the pinned keys, and says how many keys can verify JWTs.
    ///
    /// # Errors
    /// When the JWKS cannot be had or holds no usable key.
    pub async fn load_keys(&self) -> Result<usize, Error> {
        match &self.inner.validator.keys {
            KeySource::Jwks(cache) => cache.load().await,
            KeySource::Pinned(pinned) => Ok(pinned.keys().len()),
        }
    }

    /// Compares the service's clock with ours by a request without credentials.
    ///
    /// # Errors
    /// When the service cannot be reached. `None` when it does not tell the time.
    pub async fn clock_skew(&self) -> Result<Option<ClockSkew>, Error> {
        let url = self.inner.environment.discovery_url();
        let answer = self.inner.http.send(|| self.inner.http.get(&url)).await?;
        Ok(answer.date.map(|date| ClockSkew::between(date, answer.received)))
    }

    /// The environment that is asked.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.inner.environment
    }

    /// What is known of the signing key.
    #[must_use]
    pub fn key_info(&self) -> &KeyInfo {
        self.inner.signer.key_info()
    }

    /// Under what a store keeps the tickets that this client gets for `tenant`.
    #[must_use]
    pub fn ticket_key(&self, tenant: &Tenant) -> TicketKey {
        TicketKey::new(&self.inner.environment, &self.inner.client_secret, tenant)
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.inner.http
    }

    /// A ticket that this client got once, and that was kept since.
    pub(crate) fn restored_ticket(
        &self,
        ticket: SecretText,
        claims: Claims,
        issued_at: Timestamp,
        used_at: Timestamp,
    ) -> Result<SystemUserTicket, http::header::InvalidHeaderValue> {
        let Inner { client_secret, ticket_lifetime, .. } = &*self.inner;
        let ticket =
            SystemUserTicket::new(ticket, client_secret.clone(), claims, issued_at, *ticket_lifetime)?;
        Ok(ticket.used_at(used_at))
    }

    async fn exchange(&self, tenant: &Tenant) -> Result<Exchanged, Error> {
        let first = self.attempt(tenant, &*self.inner.clock).await?;
        match (&first.outcome, first.skew) {
            (Outcome::Refused(refusal), Some(skew)) if self.calls_for_server_time(refusal, skew) => {
                tracing::warn!(
                    skew_seconds = skew.seconds(),
                    "this machine's clock differs from SuperOffice's; signing once more with the server's time"
                );
                let clock = ShiftedClock::new(&self.inner.clock, skew);
                self.attempt(tenant, &clock).await?.into_exchanged(self.inner.skew_limit)
            }
            _ => first.into_exchanged(self.inner.skew_limit),
        }
    }

    /// Whether a refusal is worth a second signature: a time stamp that was refused, or a clock that is off
    /// while the reason given does not rule it out.
    fn calls_for_server_time(&self, refusal: &Refusal, skew: ClockSkew) -> bool {
        refusal.reason().is_the_clock()
            || (refusal.reason().may_be_the_clock() && skew.exceeds(self.inner.skew_limit))
    }

    async fn attempt(&self, tenant: &Tenant, clock: &dyn Clock) -> Result<Attempt, Error> {
        let inner = &*self.inner;
        let asked_at = inner.clock.now();
        let signed = SignedSystemToken::build(tenant.system_user_token(), clock, &inner.signer).await?;
        let request = ExchangeRequest {
            system_user_token: tenant.system_user_token(),
            signed_system_token: &signed.to_secret_text(),
            client_secret: &inner.client_secret,
            context: tenant.context(),
        };
        let transport = inner.transport;
        let url = transport.url(&inner.environment);
        tracing::debug!(%url, context = %tenant.context(), "exchanging");
        let post = || inner.http.post(&url, transport.headers(), transport.body(&request)?);
        let answer = inner.http.send_for(transport.statuses(), post).await?;
        let skew = answer.date.map(|date| ClockSkew::between(date, answer.received));
        let outcome = transport.decode(&answer, &request)?;
        Ok(Attempt { outcome, skew, asked_at })
    }

    async fn validate_at(
        &self,
        jwt: &UnvalidatedJwt,
        tenant: &Tenant,
        now: Timestamp,
        issued_at: Timestamp,
    ) -> Result<SystemUserTicket, Error> {
        let inner = &*self.inner;
        let trusted = inner.validator.validate(jwt, tenant.context(), now).await?;
        let claims = Claims::new(trusted.claims);
        SystemUserTicket::new(
            trusted.ticket,
            inner.client_secret.clone(),
            claims,
            issued_at,
            inner.ticket_lifetime,
        )
        .map_err(|_| {
            Error::new(
                ErrorKind::Protocol,
                "the ticket cannot stand in an HTTP header; tell SuperOffice's support",
            )
        })
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("environment", &self.environment)
            .field("transport", &self.transport)
            .field("signer", &self.signer)
            .field("validator", &self.validator)
            .finish_non_exhaustive()
    }
}

/// One answer of the service.
struct Attempt {
    outcome: Outcome,
    skew: Option<ClockSkew>,
    /// Before it was sent: what it gave was issued then or later, however long the answer was under way.
    asked_at: Timestamp,
}

impl Attempt {
    fn into_exchanged(self, skew_limit: Duration) -> Result<Exchanged, Error> {
        let skew = self.skew.filter(|skew| skew.exceeds(skew_limit));
        match self.outcome {
            Outcome::Token(jwt) => {
                if let Some(skew) = skew {
                    tracing::warn!(
                        skew_seconds = skew.seconds(),
                        "this machine's clock differs from SuperOffice's; set it"
                    );
                }
                Ok(Exchanged { jwt, skew, asked_at: self.asked_at })
            }
            Outcome::Refused(refusal) => {
                let error = Error::refused(refusal);
                Err(skew.map_or(error.clone(), |skew| error.with_note(skew)))
            }
        }
    }
}

/// A JWT, and how wrong our clock is, if it is.
struct Exchanged {
    jwt: UnvalidatedJwt,
    skew: Option<ClockSkew>,
    asked_at: Timestamp,
}

fn is_about_time(error: &Error) -> bool {
    use crate::jwt::TrustRule::{AlreadyValid, NotExpired};
    matches!(error.kind(), ErrorKind::Untrusted(NotExpired | AlreadyValid))
}
