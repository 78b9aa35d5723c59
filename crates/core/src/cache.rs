//! Tickets kept fresh: one exchange for each tenant and lifetime, however many ask.

mod builder;
mod entry;
mod flight;
mod held;
mod limits;
mod record;
mod shelf;
mod statistics;
mod table;
mod tasks;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::MutexGuard;
use tokio::time::Instant;

pub use builder::TicketCacheBuilder;
pub use limits::ExchangeLimits;
pub use statistics::CacheStatistics;

use crate::error::{Error, ErrorKind};
use crate::exchange::SystemUserClient;
use crate::tenant::Tenant;
use crate::ticket::SystemUserTicket;
use entry::{Entry, Joined, Outcomes, State};
use flight::{Flight, Need};
use held::{Freshness, Margins};
use limits::Limits;
use shelf::Shelf;
use statistics::Counters;
use table::Table;
use tasks::Tasks;

/// Keeps the tickets of many tenants, and exchanges only for one that has none or whose ticket is about to end.
///
/// A ticket is good for six hours from its issue, and each use of it against the API starts them anew: say so with
/// [`touch`](Self::touch), and a ticket in steady use is never exchanged again. Cheap to clone, and made to be asked by
/// any number of tasks; it must be used on a tokio runtime. When the last clone is dropped, what it does in the
/// background stops.
///
/// - A fresh ticket is returned at once, without a lock.
/// - Near its [end](TicketCacheBuilder::DEFAULT_MARGIN) it is returned at once too, and renewed in the background.
/// - Without one, there is one exchange, and everybody waits for that one; who gives up does not cancel it.
/// - A failed renewal leaves the ticket where it is as long as it is good, and is tried again after growing pauses.
/// - A refusal evicts the ticket. It, like any failure, is remembered for a
///   [short time](TicketCacheBuilder::DEFAULT_ERROR_MEMORY), so that a broken tenant does not hammer the service.
#[derive(Clone)]
pub struct TicketCache {
    handle: Arc<Handle>,
}

/// What the clones share; the background tasks have only what is inside.
struct Handle {
    inner: Arc<Inner>,
    tasks: Tasks,
}

pub(crate) struct Inner {
    client: SystemUserClient,
    exchange: Arc<dyn Exchange>,
    margins: Margins,
    error_memory: Duration,
    table: Table,
    limits: Limits,
    shelf: Option<Shelf>,
    counters: Arc<Counters>,
}

/// Where new tickets come from.
#[async_trait]
pub(crate) trait Exchange: Send + Sync + 'static {
    async fn exchange(&self, tenant: &Tenant) -> Result<SystemUserTicket, Error>;
}

#[async_trait]
impl Exchange for SystemUserClient {
    async fn exchange(&self, tenant: &Tenant) -> Result<SystemUserTicket, Error> {
        self.ticket(tenant).await
    }
}

impl TicketCache {
    /// A cache of what `client` gets, with the defaults.
    #[must_use]
    pub fn new(client: SystemUserClient) -> Self {
        Self::builder(client).build()
    }

    /// Begins to build a cache of what `client` gets.
    #[must_use]
    pub fn builder(client: SystemUserClient) -> TicketCacheBuilder {
        TicketCacheBuilder::new(client)
    }

    /// A ticket that is good: the one that is kept, or a new one. It has at least
    /// [`RESERVE`](TicketCacheBuilder::RESERVE) left to be used for the first time.
    ///
    /// # Errors
    /// Those of [`SystemUserClient::ticket`], also when they are remembered from an exchange a short while ago.
    pub async fn ticket(&self, tenant: &Tenant) -> Result<SystemUserTicket, Error> {
        match self.hit(tenant) {
            Some(ticket) => Ok(ticket),
            None => self.wait_for(tenant, Need::Usable).await,
        }
    }

    /// A new ticket in place of the one that is kept, whatever that one is worth. Costs an exchange, unless another
    /// process exchanges for the same tenant just now.
    ///
    /// # Errors
    /// Those of [`SystemUserClient::ticket`]; what was kept before is then still kept, unless it was a refusal.
    pub async fn refresh(&self, tenant: &Tenant) -> Result<SystemUserTicket, Error> {
        self.wait_for(tenant, Need::Another).await
    }

    /// Says that the API took `ticket` just now: its lifetime starts anew. Does nothing for another ticket than
    /// the one that is kept.
    pub fn touch(&self, tenant: &Tenant, ticket: &SystemUserTicket) {
        let inner = &*self.handle.inner;
        let Some(entry) = inner.table.find(tenant) else { return };
        let Some(held) = entry.held.load_full() else { return };
        if !held.ticket.is_same_as(ticket) {
            return;
        }
        let now = inner.client.clock().now();
        held.touch(now);
        if held.fence.is_some() && held.is_due_to_be_saved(now) {
            let (inner, tenant) = (Arc::clone(&self.handle.inner), tenant.clone());
            self.handle.tasks.spawn(async move { inner.save_touched(&tenant, &entry, &held).await });
        }
    }

    /// Says that the API refused `ticket`: it is forgotten, and whoever asks next gets another. Does nothing for
    /// another ticket than the one that is kept, so that who comes late does not evict its successor.
    pub fn invalidate(&self, tenant: &Tenant, ticket: &SystemUserTicket) {
        let inner = &self.handle.inner;
        let Some(entry) = inner.table.find(tenant) else { return };
        let Some(held) = entry.reject(ticket) else { return };
        inner.counters.invalidated();
        tracing::info!(context = %tenant.context(), "the ticket was refused by the API and is forgotten");
        if let Some(fence) = held.fence {
            let (inner, tenant) = (Arc::clone(inner), tenant.clone());
            self.handle.tasks.spawn(async move { inner.forget_stored(&tenant, fence).await });
        }
    }

    /// What it has done so far, and what it holds. Looks at every tenant, so not for each request.
    #[must_use]
    pub fn statistics(&self) -> CacheStatistics {
        let inner = &*self.handle.inner;
        let now = inner.client.clock().now();
        let entries = inner.table.entries();
        let hits = entries.iter().map(|entry| entry.hits()).sum();
        let oldest = entries.iter().filter_map(|entry| entry.held.load_full()?.age(now)).max();
        inner.counters.snapshot(entries.len(), hits, oldest)
    }

    /// Who exchanges for it.
    #[must_use]
    pub fn client(&self) -> &SystemUserClient {
        &self.handle.inner.client
    }

    /// The way that nearly every call takes: without a lock, and without memory but for the counted reference.
    fn hit(&self, tenant: &Tenant) -> Option<SystemUserTicket> {
        let inner = &*self.handle.inner;
        let now = inner.client.clock().now();
        let entries = inner.table.pin();
        let entry = entries.get(&inner.table.identity(tenant))?;
        let held = entry.held.load();
        let held = held.as_deref()?;
        match held.freshness(now) {
            Freshness::Fresh => {}
            Freshness::NearEnd => self.renew_in_background(entry, tenant),
            Freshness::Ended => return None,
        }
        entry.was_hit(now);
        Some(held.hand_out())
    }

    fn renew_in_background(&self, entry: &Arc<Entry>, tenant: &Tenant) {
        // Whoever has the lock does what there is to do.
        let Some(state) = entry.state.try_lock() else { return };
        if state.may_fly(Instant::now()) && self.handle.inner.freshness(entry) == Freshness::NearEnd {
            self.launch(entry, state, tenant, Need::Fresh);
        }
    }

    async fn wait_for(&self, tenant: &Tenant, need: Need) -> Result<SystemUserTicket, Error> {
        self.handle.inner.counters.missed();
        for _ in 0..MAX_LOST_FLIGHTS {
            let (mut outcomes, is_other) = match self.join(tenant, need)? {
                Joined::Kept(ticket) => return Ok(ticket),
                Joined::Flight(outcomes) => (outcomes, false),
                Joined::Other(outcomes) => (outcomes, true),
            };
            let _waiting = self.handle.inner.counters.waiting();
            // It ends without an outcome with the runtime that it ran on, which need not be the caller's; and while a
            // process is suspended, tickets that are under way end.
            if let Ok(outcome) = outcomes.wait_for(Option::is_some).await
                && !is_other
                && let Some(outcome) = outcome.clone()
                && !self.has_ended(&outcome)
            {
                return outcome;
            }
        }
        Err(Error::new(ErrorKind::Bug, "exchanges ended without a ticket that is good, several times"))
    }

    fn has_ended(&self, outcome: &Result<SystemUserTicket, Error>) -> bool {
        let now = self.handle.inner.client.clock().now();
        outcome.as_ref().is_ok_and(|ticket| ticket.expires_at() <= now)
    }

    /// Looks once more, behind the lock, and takes part in the one flight that there is, or starts it.
    fn join(&self, tenant: &Tenant, need: Need) -> Result<Joined, Error> {
        let inner = &*self.handle.inner;
        loop {
            let entry = inner.table.find_or_insert(tenant);
            let state = entry.state.lock();
            if state.is_evicted {
                continue;
            }
            entry.was_seen(inner.client.clock().now());
            if need == Need::Usable
                && inner.freshness(&entry) != Freshness::Ended
                && let Some(held) = &*entry.held.load()
            {
                return Ok(Joined::Kept(held.hand_out()));
            }
            if let Some(flight) = &state.flight {
                return Ok(flight.join(need));
            }
            if need != Need::Another
                && let Some(error) = state.remembered(Instant::now())
            {
                inner.counters.remembered();
                return Err(error);
            }
            return Ok(Joined::Flight(self.launch(&entry, state, tenant, need)));
        }
    }

    fn launch(
        &self,
        entry: &Arc<Entry>,
        mut state: MutexGuard<'_, State>,
        tenant: &Tenant,
        need: Need,
    ) -> Outcomes {
        let inner = &self.handle.inner;
        // Without a store, each flight that brings anything brings another ticket.
        let brings = if inner.shelf.is_some() { need } else { Need::Another };
        let (landing, outcomes) = entry.take_off(&mut state, brings, &inner.counters, inner.error_memory);
        let flight = Flight::new(inner, tenant, need, &state);
        // A task that cannot run is dropped where it is spawned, and takes the lock to say so.
        drop(state);
        self.handle.tasks.spawn(flight.fly(landing));
        outcomes
    }
}

impl fmt::Debug for TicketCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketCache")
            .field("client", &self.handle.inner.client)
            .field("tenants", &self.handle.inner.table.len())
            .finish_non_exhaustive()
    }
}

/// How often an exchange may bring nothing that can be returned before a waiter gives up.
const MAX_LOST_FLIGHTS: usize = 3;

#[cfg(test)]
mod tests;
