//! How a client is put together: three things that it must have, and what may be chosen.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Proxy};

use crate::client_secret::ClientSecret;
use crate::clock::{Clock, SystemClock};
use crate::environment::Environment;
use crate::error::Error;
use crate::exchange::{ClockSkew, Inner, SystemUserClient, Transport};
use crate::http::{HttpClient, HttpOptions, Timeouts};
use crate::jwt::jwks::{Discovery, JwksCache};
use crate::jwt::pinned::PinnedKeys;
use crate::jwt::validator::{JwtValidator, KeySource};
use crate::retry::RetryPolicy;
use crate::signer::{SigningAlgorithm, TokenSigner};
use crate::ticket::DEFAULT_TICKET_LIFETIME;

/// Builds a [`SystemUserClient`]; nothing that can be chosen here loosens a trust rule.
#[derive(Debug)]
pub struct SystemUserClientBuilder {
    environment: Environment,
    transport: Transport,
    client_secret: ClientSecret,
    signer: Arc<dyn TokenSigner>,
    algorithm: SigningAlgorithm,
    http: HttpOptions,
    clock: Arc<dyn Clock>,
    pinned: Option<PinnedKeys>,
    leeway: Duration,
    skew_limit: Duration,
    ticket_lifetime: Duration,
}

impl SystemUserClientBuilder {
    /// How far past its end, or before its beginning, a JWT is still taken, unless set otherwise.
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
    /// The longest leeway that is taken: beyond it, `exp` and `nbf` would mean nothing.
    pub const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

    pub(crate) fn new(
        environment: Environment,
        client_secret: ClientSecret,
        signer: Arc<dyn TokenSigner>,
    ) -> Self {
        Self {
            environment,
            transport: Transport::default(),
            client_secret,
            signer,
            algorithm: SigningAlgorithm::Rs256,
            http: HttpOptions::default(),
            clock: Arc::new(SystemClock),
            pinned: None,
            leeway: Self::DEFAULT_LEEWAY,
            skew_limit: ClockSkew::DEFAULT_LIMIT,
            ticket_lifetime: DEFAULT_TICKET_LIFETIME,
        }
    }

    /// Speaks by this transport; REST without it.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Takes a signer of this algorithm instead of RS256, the only one that SuperOffice documents.
    #[must_use]
    pub fn with_signing_algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Builds the HTTP client on this `reqwest` builder: a resolver, a local address, a client certificate.
    ///
    /// A builder and not a client, because redirects, certificate checks, plain HTTP, time-outs and the logging of
    /// what goes over the wire are then set here, whatever it says.
    #[must_use]
    pub fn with_http_client(mut self, base: ClientBuilder) -> Self {
        self.http.base = Some(base);
        self
    }

    /// Trusts one more certificate authority for TLS, beside the system's own.
    #[must_use]
    pub fn with_extra_root(mut self, root: Certificate) -> Self {
        self.http.extra_roots.push(root);
        self
    }

    /// Uses this proxy instead of what the environment variables say.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.http.proxy = Some(proxy);
        self
    }

    /// How long connecting and a whole request may take.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.http.timeouts = timeouts;
        self
    }

    /// When and how often a request that failed on its way is sent again.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.http.retry = policy;
        self
    }

    /// Tells the time of day by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Trusts these keys to sign JWTs, and asks for no JWKS.
    #[must_use]
    pub fn with_pinned_keys(mut self, keys: PinnedKeys) -> Self {
        self.pinned = Some(keys);
        self
    }

    /// How far past its end, or before its beginning, a JWT is still taken; at most [`Self::MAX_LEEWAY`].
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How far the service's clock may differ from ours before it is said, and acted upon.
    #[must_use]
    pub fn with_clock_skew_limit(mut self, limit: Duration) -> Self {
        self.skew_limit = limit;
        self
    }

    /// How long a ticket is good for; [`DEFAULT_TICKET_LIFETIME`] unless SuperOffice changes it.
    #[must_use]
    pub fn with_ticket_lifetime(mut self, lifetime: Duration) -> Self {
        self.ticket_lifetime = lifetime;
        self
    }

    /// Builds the client; no I/O is done, but for reading the system's certificate authorities.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the signer's algorithm was not
    /// opted into, the leeway is too long, no key is pinned where keys should be, or the HTTP client cannot be built.
    pub fn build(self) -> Result<SystemUserClient, Error> {
        self.check()?;
        let http = HttpClient::build(&self.environment, self.http, Arc::clone(&self.clock))?;
        let keys = match self.pinned {
            Some(pinned) => KeySource::Pinned(pinned),
            None => KeySource::Jwks(JwksCache::new(Discovery::new(http.clone(), self.environment.clone()))),
        };
        let inner = Inner {
            environment: self.environment,
            transport: self.transport,
            client_secret: self.client_secret,
            signer: self.signer,
            http,
            clock: self.clock,
            validator: JwtValidator { keys, leeway: self.leeway },
            skew_limit: self.skew_limit,
            ticket_lifetime: self.ticket_lifetime,
        };
        Ok(SystemUserClient { inner: Arc::new(inner) })
    }

    fn check(&self) -> Result<(), Error> {
        let algorithm = self.signer.key_info().algorithm();
        if algorithm != self.algorithm {
            return Err(Error::configuration(format!(
                "the {} signs with {algorithm}, but {} is expected; SuperOffice documents RS256 only, \
                 and another algorithm must be asked for with `with_signing_algorithm`",
                self.signer.key_info(),
                self.algorithm
            )));
        }
        if self.leeway > Self::MAX_LEEWAY {
            let (leeway, max) = (self.leeway, Self::MAX_LEEWAY);
            return Err(Error::configuration(format!(
                "a leeway of {leeway:?} is too long; at most {max:?} is taken"
            )));
        }
        if self.pinned.as_ref().is_some_and(|pinned| pinned.keys().is_empty()) {
            return Err(Error::configuration(
                "no key is pinned; give at least one certificate, or use the JWKS",
            ));
        }
        Ok(())
    }
}
