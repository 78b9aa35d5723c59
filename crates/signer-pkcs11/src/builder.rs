//! What a [`Pkcs11Signer`] is built from.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use soticket_core::{PublicKey, SignerError};

use crate::access::TokenAccess;
use crate::connection::PinTries;
use crate::opening::on_own_thread;
use crate::pin::Pin;
use crate::pool::Limits;
use crate::signer::{self, Pkcs11Signer};
use crate::uri::Pkcs11Uri;

/// What a [`Pkcs11Signer`] is built from.
#[derive(Debug)]
pub struct Pkcs11SignerBuilder {
    pub(crate) access: TokenAccess,
    pub(crate) public_key: Option<PublicKey>,
    pub(crate) protection: Protection,
    pub(crate) limits: Limits,
    pub(crate) restart_interval: Duration,
    build_deadline: Duration,
}

/// Which keys are good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Any; a key that can leave the token is warned of.
    Any,
    /// One that the token says it never gives out.
    NonExtractable,
}

impl Pkcs11SignerBuilder {
    pub(crate) fn new(access: TokenAccess) -> Self {
        Self {
            access,
            public_key: None,
            protection: Protection::Any,
            limits: Limits {
                workers: DEFAULT_WORKERS.get(),
                queue: DEFAULT_QUEUE.get(),
                lost: DEFAULT_MAX_LOST_THREADS.get(),
                deadline: DEFAULT_DEADLINE,
            },
            restart_interval: DEFAULT_RESTART_INTERVAL,
            build_deadline: DEFAULT_BUILD_DEADLINE,
        }
    }

    /// Where the PIN is, unless the URI says so.
    #[must_use]
    pub fn with_pin(mut self, pin: Pin) -> Self {
        self.access = self.access.with_pin(pin);
        self
    }

    /// The module's file, unless the URI names one.
    #[must_use]
    pub fn with_module(mut self, path: impl Into<PathBuf>) -> Self {
        self.access = self.access.with_module(path);
        self
    }

    /// Whether the PIN is tried though one more wrong one would lock the token; without this it is not.
    #[must_use]
    pub fn with_pin_tries(mut self, tries: PinTries) -> Self {
        self.access = self.access.with_pin_tries(tries);
        self
    }

    /// The public half, for a token that keeps none. What the token keeps comes first, and whichever it is has to
    /// verify a signature by the private key.
    #[must_use]
    pub fn with_public_key(mut self, key: PublicKey) -> Self {
        self.public_key = Some(key);
        self
    }

    /// Refuses a key that the token does not say it never gives out (`CKA_SENSITIVE` true, `CKA_EXTRACTABLE` false);
    /// without this such a key is warned of.
    #[must_use]
    pub fn require_non_extractable(mut self) -> Self {
        self.protection = Protection::NonExtractable;
        self
    }

    /// How many threads sign, with a session each, [`DEFAULT_WORKERS`] without this; started when they are needed.
    /// One more session holds the login, except with a single worker, whose session is then the only one: for
    /// modules that cannot stand more. A token's own limit counts too.
    #[must_use]
    pub fn with_workers(mut self, workers: NonZeroUsize) -> Self {
        self.limits.workers = workers.get();
        self
    }

    /// How many requests may wait for a thread, [`DEFAULT_QUEUE`] without this; a further one is refused at once.
    #[must_use]
    pub fn with_queue(mut self, requests: NonZeroUsize) -> Self {
        self.limits.queue = requests.get();
        self
    }

    /// How long a signature may take, waiting included, [`DEFAULT_DEADLINE`] without this.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self
    }

    /// How many threads may be stuck in a module that hangs before nothing more is tried,
    /// [`DEFAULT_MAX_LOST_THREADS`] without this.
    #[must_use]
    pub fn with_max_lost_threads(mut self, threads: NonZeroUsize) -> Self {
        self.limits.lost = threads.get();
        self
    }

    /// How often the module may be shut down and started anew to get over an outage,
    /// [`DEFAULT_RESTART_INTERVAL`] without this.
    #[must_use]
    pub fn with_restart_interval(mut self, interval: Duration) -> Self {
        self.restart_interval = interval;
        self
    }

    /// How long [`build`](Self::build) may take, [`DEFAULT_BUILD_DEADLINE`] without this. The time that a person takes to
    /// give a PIN does not count.
    #[must_use]
    pub fn with_build_deadline(mut self, deadline: Duration) -> Self {
        self.build_deadline = deadline;
        self
    }

    /// Finds the token and the key, logs in, signs a probe and pins the public key under which it verifies.
    ///
    /// Runs on a thread of its own, so that no executor is blocked, and ends at its deadline even if the module hangs.
    ///
    /// # Errors
    /// When the module does not load or start, when there is not exactly one token and one key that the URI means,
    /// when the PIN is missing or refused, or when no mechanism gives a signature that verifies; the message names
    /// the thing and the cure.
    pub async fn build(self) -> Result<Pkcs11Signer, SignerError> {
        on_own_thread(self.build_deadline, move || signer::build(self)).await
    }
}

impl Pkcs11Signer {
    /// Starts to build a signer with the key that `uri` names.
    #[must_use]
    pub fn builder(uri: Pkcs11Uri) -> Pkcs11SignerBuilder {
        Self::builder_with(TokenAccess::new(uri))
    }

    /// Starts to build a signer over a way into a token.
    #[must_use]
    pub fn builder_with(access: TokenAccess) -> Pkcs11SignerBuilder {
        Pkcs11SignerBuilder::new(access)
    }
}

/// Threads that sign, unless told otherwise: enough for a network HSM's latency, and few enough for small tokens.
pub const DEFAULT_WORKERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();
/// Requests that may wait, unless told otherwise.
pub const DEFAULT_QUEUE: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
/// Threads that may be stuck in a module, unless told otherwise.
pub const DEFAULT_MAX_LOST_THREADS: NonZeroUsize = NonZeroUsize::new(4).unwrap();
/// How long a signature may take, unless told otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// How often a module may be started anew, unless told otherwise.
pub const DEFAULT_RESTART_INTERVAL: Duration = Duration::from_secs(30);
/// How long building a signer, or a look into a token, may take, unless told otherwise.
pub const DEFAULT_BUILD_DEADLINE: Duration = Duration::from_secs(60);
