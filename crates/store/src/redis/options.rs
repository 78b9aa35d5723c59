//! How a Redis is used otherwise than by default.

use std::time::Duration;

/// How a Redis is used otherwise than by default.
#[derive(Debug, Clone)]
pub struct RedisStoreOptions {
    pub(crate) plain_network: PlainNetwork,
    pub(crate) root_certificates: Option<Vec<u8>>,
    pub(crate) lease_length: Duration,
}

/// Whether a Redis may be talked to without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainNetwork {
    /// Only if it is on this machine.
    #[default]
    LoopbackOnly,
    /// Wherever it is: the network in between is trusted with Redis's password. Tickets are encrypted all the same.
    Trusted,
}

impl RedisStoreOptions {
    /// For how long a lease goes on that is not renewed, unless it is said otherwise.
    pub const LEASE_LENGTH: Duration = Duration::from_secs(15);

    /// The default ones.
    #[must_use]
    pub fn new() -> Self {
        Self {
            plain_network: PlainNetwork::default(),
            root_certificates: None,
            lease_length: Self::LEASE_LENGTH,
        }
    }

    /// Whether a Redis may be talked to without TLS. By default, only if it is on this machine.
    #[must_use]
    pub fn with_plain_network(mut self, plain_network: PlainNetwork) -> Self {
        self.plain_network = plain_network;
        self
    }

    /// The certificates in PEM that the Redis's own has to descend from, instead of those that the system trusts.
    #[must_use]
    pub fn with_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// For how long a lease goes on that is not renewed: for so long an exchange waits whose first holder died.
    ///
    /// It is renewed each third of it, and in whole milliseconds, one at least.
    #[must_use]
    pub fn with_lease_length(mut self, lease_length: Duration) -> Self {
        self.lease_length = lease_length.max(Duration::from_millis(1));
        self
    }

    pub(crate) fn lease_milliseconds(&self) -> u64 {
        u64::try_from(self.lease_length.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for RedisStoreOptions {
    fn default() -> Self {
        Self::new()
    }
}
