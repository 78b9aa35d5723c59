//! What a cache has done so far, in numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a cache has done since it was built, and what it holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Calls that were answered with a kept ticket, without a lock.
    pub hits: u64,
    /// Calls that found none, and waited or got a remembered failure.
    pub misses: u64,
    /// Exchanges that gave a ticket.
    pub exchanges: u64,
    /// Those of the exchanges that were made in the background, before the ticket ended.
    pub renewals: u64,
    /// Tickets that were taken over from the store, without an exchange.
    pub adopted: u64,
    /// Exchanges that failed, refusals among them.
    pub failures: u64,
    /// Calls that were answered with a failure of a short while ago.
    pub remembered_failures: u64,
    /// Tickets that the API refused.
    pub invalidated: u64,
    /// Tenants that were forgotten for want of room.
    pub evicted: u64,
    /// Failures of the store.
    pub store_failures: u64,
    /// Calls that wait now.
    pub waiters: u64,
    /// Tenants that are known now.
    pub tenants: usize,
    /// How long ago the oldest of the tickets was issued.
    pub oldest_ticket: Option<Duration>,
}

/// The counts as they are kept.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Of tenants that were forgotten; every other keeps its own, so that hits of two share no memory.
    old_hits: AtomicU64,
    misses: AtomicU64,
    exchanges: AtomicU64,
    renewals: AtomicU64,
    adopted: AtomicU64,
    failures: AtomicU64,
    remembered: AtomicU64,
    invalidated: AtomicU64,
    evicted: AtomicU64,
    store_failures: AtomicU64,
    waiters: AtomicU64,
}

impl Counters {
    pub(crate) fn missed(&self) {
        add(&self.misses);
    }

    pub(crate) fn exchanged(&self) {
        add(&self.exchanges);
    }

    pub(crate) fn renewed(&self) {
        add(&self.renewals);
    }

    pub(crate) fn adopted(&self) {
        add(&self.adopted);
    }

    pub(crate) fn failed(&self) {
        add(&self.failures);
    }

    pub(crate) fn remembered(&self) {
        add(&self.remembered);
    }

    pub(crate) fn invalidated(&self) {
        add(&self.invalidated);
    }

    /// Counts a tenant that is forgotten, and keeps its hits.
    pub(crate) fn evicted(&self, hits: u64) {
        self.old_hits.fetch_add(hits, Ordering::Relaxed);
        add(&self.evicted);
    }

    pub(crate) fn store_failed(&self) {
        add(&self.store_failures);
    }

    /// Counts a waiter for as long as what is returned lives.
    pub(crate) fn waiting(self: &Arc<Self>) -> Waiting {
        add(&self.waiters);
        Waiting(Arc::clone(self))
    }

    /// The counts beside what the `tenants` of now have had of `hits`.
    pub(crate) fn snapshot(
        &self,
        tenants: usize,
        hits: u64,
        oldest_ticket: Option<Duration>,
    ) -> CacheStatistics {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheStatistics {
            hits: get(&self.old_hits).saturating_add(hits),
            misses: get(&self.misses),
            exchanges: get(&self.exchanges),
            renewals: get(&self.renewals),
            adopted: get(&self.adopted),
            failures: get(&self.failures),
            remembered_failures: get(&self.remembered),
            invalidated: get(&self.invalidated),
            evicted: get(&self.evicted),
            store_failures: get(&self.store_failures),
            waiters: get(&self.waiters),
            tenants,
            oldest_ticket,
        }
    }
}

/// One call that waits.
pub(crate) struct Waiting(Arc<Counters>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiters.fetch_sub(1, Ordering::Relaxed);
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
