//! The store as the cache sees it: what fails there is told, and then done without.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::statistics::Counters;
use crate::store::{Fence, Lease, Record, Saved, StoreError, StoreErrorKind, TicketKey, TicketStore};

/// A store, and whether it is worth asking.
#[derive(Debug)]
pub(crate) struct Shelf {
    store: Arc<dyn TicketStore>,
    /// So many calls at once, so that none runs out of time behind our own.
    calls: Semaphore,
    away_until: Mutex<Option<Instant>>,
    /// The last record that was told to be unreadable: it is looked at twice.
    told: Mutex<String>,
    counters: Arc<Counters>,
}

/// Whether one may exchange.
#[derive(Debug)]
pub(crate) enum Leased {
    Taken(Box<dyn Lease>),
    /// Somebody else does.
    Busy,
    /// Nobody can say, so everybody may.
    Unknown,
}

impl Shelf {
    pub(crate) fn new(store: Arc<dyn TicketStore>, counters: Arc<Counters>) -> Self {
        Self {
            store,
            calls: Semaphore::new(CALLS_AT_ONCE),
            away_until: Mutex::new(None),
            told: Mutex::default(),
            counters,
        }
    }

    pub(crate) async fn load(&self, key: &TicketKey) -> Option<Record> {
        self.ask("read", || self.store.load(key)).await.flatten()
    }

    pub(crate) async fn save(&self, key: &TicketKey, record: &Record) -> Option<Saved> {
        self.ask("written to", || self.store.save(key, record)).await
    }

    pub(crate) async fn remove(&self, key: &TicketKey, fence: Fence) {
        self.ask("written to", || self.store.remove(key, fence)).await;
    }

    pub(crate) async fn lease(&self, key: &TicketKey) -> Leased {
        match self.ask("asked for a lease", || self.store.lease(key)).await {
            Some(Some(lease)) => Leased::Taken(lease),
            Some(None) => Leased::Busy,
            None => Leased::Unknown,
        }
    }

    pub(crate) async fn release(&self, lease: Box<dyn Lease>) {
        if let Err(error) = in_time(lease.release()).await {
            tracing::debug!(%error, "a lease was not given back, and ends by itself");
        }
    }

    /// Says that what the store gave is not what we once gave it.
    pub(crate) fn refuse(&self, reason: &dyn std::error::Error) {
        self.tell("read", &StoreError::new(StoreErrorKind::Unreadable, reason.to_string()));
    }

    /// One call, unless the store was away a moment ago. A failure is told, and then there is no answer.
    ///
    /// It is made twice before the store counts as away: while a process is suspended its calls run out of time, and
    /// nothing is wrong with the store.
    async fn ask<T, F>(&self, what: &str, call: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        // It is never closed.
        let _call = self.calls.acquire().await;
        if self.away_until.lock().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let mut answer = in_time(call()).await;
        if answer.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Unavailable) {
            answer = in_time(call()).await;
        }
        answer.inspect_err(|error| self.tell(what, error)).ok()
    }

    fn tell(&self, what: &str, error: &StoreError) {
        self.counters.store_failed();
        let cause = std::error::Error::source(error);
        if error.kind() == StoreErrorKind::Unreadable {
            let told = std::mem::replace(&mut *self.told.lock(), error.to_string());
            if told != error.to_string() {
                tracing::warn!(%error, cause, "what the ticket store holds is not trusted, and is made anew");
            }
            return;
        }
        *self.away_until.lock() = Some(Instant::now() + AWAY);
        tracing::warn!(%error, cause, "the ticket store cannot be {what}; going on without it");
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(TIMEOUT, call).await.unwrap_or_else(|_| {
        let message = format!("it did not answer within {TIMEOUT:?}");
        Err(StoreError::new(StoreErrorKind::Unavailable, message))
    })
}

/// How many calls may be under way.
const CALLS_AT_ONCE: usize = 64;

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// For how long a store that failed is left alone.
const AWAY: Duration = Duration::from_secs(5);
