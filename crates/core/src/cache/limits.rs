//! How many exchanges run at once and start in a second: first come, first served, one for each tenant.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

/// How many exchanges may run at once, and how many may start in a second, for the sake of the login service and of
/// the quota of an HSM or a KMS.
///
/// Who waits is served in turn, and each tenant has at most one exchange in the queue. A tenant whose last exchange
/// failed waits in a queue of its own, with a quarter of the places, and an exchange that takes longer than
/// [`PATIENCE`](Self::PATIENCE) gives its place back: one tenant's trouble does not keep the others from theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeLimits {
    concurrent: usize,
    per_second: Option<u32>,
}

impl ExchangeLimits {
    /// How many exchanges run at once, unless set otherwise.
    pub const DEFAULT_CONCURRENT: usize = 16;
    /// How many exchanges start in a second, unless set otherwise.
    pub const DEFAULT_PER_SECOND: u32 = 50;
    /// How long an exchange keeps its place; one that hangs goes on without.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// The defaults above.
    #[must_use]
    pub fn new() -> Self {
        Self { concurrent: Self::DEFAULT_CONCURRENT, per_second: Some(Self::DEFAULT_PER_SECOND) }
    }

    /// How many exchanges run at once; 0 counts as 1.
    #[must_use]
    pub fn with_concurrent(mut self, exchanges: usize) -> Self {
        self.concurrent = exchanges.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// How many exchanges start in a second, evenly spaced; 0 is no limit.
    #[must_use]
    pub fn with_per_second(mut self, exchanges: u32) -> Self {
        self.per_second = (exchanges > 0).then_some(exchanges);
        self
    }

    /// How many exchanges run at once.
    #[must_use]
    pub fn concurrent(&self) -> usize {
        self.concurrent
    }

    /// How many exchanges start in a second, if that is limited.
    #[must_use]
    pub fn per_second(&self) -> Option<u32> {
        self.per_second
    }
}

impl Default for ExchangeLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// Which queue a tenant waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Regular,
    Troubled,
}

/// The places that there are.
#[derive(Debug)]
pub(crate) struct Limits {
    all: Arc<Semaphore>,
    /// Who has one of these waits for one of all: no more than a part of them is kept from the others.
    troubled: Arc<Semaphore>,
    pace: Option<Pace>,
}

/// A place among the exchanges that run at once.
#[derive(Debug)]
pub(crate) struct Place {
    _among_troubled: Option<OwnedSemaphorePermit>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Limits {
    pub(crate) fn new(limits: ExchangeLimits) -> Self {
        let troubled = (limits.concurrent / TROUBLED_SHARE).max(1);
        Self {
            all: Arc::new(Semaphore::new(limits.concurrent)),
            troubled: Arc::new(Semaphore::new(troubled)),
            pace: limits.per_second.map(Pace::new),
        }
    }

    /// Waits for a place.
    pub(crate) async fn place(&self, lane: Lane) -> Place {
        // They are never closed.
        let among_troubled = match lane {
            Lane::Regular => None,
            Lane::Troubled => Arc::clone(&self.troubled).acquire_owned().await.ok(),
        };
        let permit = Arc::clone(&self.all).acquire_owned().await.ok();
        Place { _among_troubled: among_troubled, _permit: permit }
    }

    /// Waits until the next exchange may start.
    pub(crate) async fn turn(&self) {
        if let Some(pace) = &self.pace {
            pace.turn().await;
        }
    }
}

impl Place {
    /// Runs `exchange` on this place, and gives the place back when it takes too long.
    pub(crate) async fn run<T>(self, exchange: impl Future<Output = T>) -> T {
        let mut exchange = std::pin::pin!(exchange);
        match timeout(ExchangeLimits::PATIENCE, &mut exchange).await {
            Ok(outcome) => outcome,
            Err(_) => {
                drop(self);
                exchange.await
            }
        }
    }
}

/// Starts, evenly spaced.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self { interval: Duration::from_secs(1) / per_second, next: Mutex::new(None) }
    }

    async fn turn(&self) {
        let start = {
            let mut next = self.next.lock();
            let start = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
            *next = Some(start + self.interval);
            start
        };
        sleep_until(start).await;
    }
}

/// Tenants in trouble have one place in so many.
const TROUBLED_SHARE: usize = 4;
