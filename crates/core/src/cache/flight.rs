//! The way to a ticket that is not in memory: from the store, or by an exchange that nobody else makes meanwhile.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Inner;
use super::entry::{Entry, Landing, State};
use super::held::{Freshness, Held};
use super::limits::{Lane, Place};
use super::record;
use super::shelf::{Leased, Shelf};
use crate::error::{Error, ErrorKind};
use crate::store::{Fence, Lease, Record, Renewed, Saved, TicketKey};
use crate::tenant::Tenant;
use crate::ticket::SystemUserTicket;

/// What a caller takes for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Any ticket that has not ended.
    Usable,
    /// One that is not near its end.
    Fresh,
    /// One that was issued from now on.
    Another,
}

/// One way to a ticket, for everybody who waits for it.
pub(crate) struct Flight {
    inner: Arc<Inner>,
    tenant: Tenant,
    need: Need,
    lane: Lane,
}

impl Flight {
    pub(crate) fn new(inner: &Arc<Inner>, tenant: &Tenant, need: Need, state: &State) -> Self {
        let lane = if state.is_in_trouble() { Lane::Troubled } else { Lane::Regular };
        Self { inner: Arc::clone(inner), tenant: tenant.clone(), need, lane }
    }

    pub(crate) async fn fly(self, landing: Landing) {
        let outcome = match &self.inner.shelf {
            None => {
                let place = self.inner.limits.place(self.lane).await;
                self.exchange_alone(landing.entry(), place).await
            }
            Some(shelf) => self.by_way_of_shelf(shelf, landing.entry()).await,
        };
        match &outcome {
            Ok(Some(held)) => self.tell(landing.entry(), held),
            Ok(None) => tracing::debug!(context = %self.tenant.context(), "the ticket was used, and is kept"),
            Err(error) => self.tell_failure(error),
        }
        let entry = Arc::clone(landing.entry());
        match outcome.transpose() {
            Some(outcome) => landing.land(outcome),
            None => drop(landing),
        }
        self.inner.table.shrink(&entry);
    }

    fn tell(&self, entry: &Entry, held: &Held) {
        let replaced = entry.held.load();
        let age = replaced.as_deref().and_then(|held| held.age(self.inner.client.clock().now()));
        tracing::debug!(
            context = %self.tenant.context(),
            replaced_age_seconds = age.map(|age| age.as_secs()),
            expires_at = %held.ticket.expires_at(),
            "a ticket is kept"
        );
    }

    /// Of a renewal nobody else learns; any other failure is its callers' own.
    fn tell_failure(&self, error: &Error) {
        let (context, cause) = (self.tenant.context(), std::error::Error::source(error));
        if self.need == Need::Fresh {
            tracing::warn!(%context, %error, cause, "the ticket was not renewed");
        } else {
            tracing::debug!(%context, %error, cause, "no new ticket");
        }
    }

    /// What the store has, if it is good for this; else an exchange by whoever gets the lease.
    async fn by_way_of_shelf(&self, shelf: &Shelf, entry: &Entry) -> Result<Option<Held>, Error> {
        let key = self.inner.client.ticket_key(&self.tenant);
        let first = shelf.load(&key).await;
        let before = first.as_ref().map(|record| record.fence);
        if let Some(held) = first.and_then(|record| self.adopt(shelf, entry, &record, before)) {
            return Ok(Some(held));
        }
        let mut deadline = None;
        let mut pause = MIN_LEASE_PAUSE;
        loop {
            // The place first: nobody is to have leases for exchanges that he cannot make yet.
            let place = self.inner.limits.place(self.lane).await;
            match shelf.lease(&key).await {
                Leased::Taken(lease) => {
                    return self.with_lease(shelf, entry, &key, lease, before, place).await;
                }
                // The wait for a place, which may be long, is nobody's fault.
                Leased::Busy
                    if !has_passed(deadline.get_or_insert_with(|| Instant::now() + LEASE_PATIENCE)) =>
                {
                    drop(place);
                }
                Leased::Busy => return self.pass_by(shelf, entry, &key, before, place).await,
                Leased::Unknown => return self.exchange_alone(entry, place).await,
            }
            sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64())).await;
            pause = (pause * 2).min(MAX_LEASE_PAUSE);
            let record = shelf.load(&key).await;
            if let Some(held) = record.and_then(|record| self.adopt(shelf, entry, &record, before)) {
                return Ok(Some(held));
            }
        }
    }

    /// Looks again, now that nobody else can exchange, and exchanges.
    async fn with_lease(
        &self,
        shelf: &Shelf,
        entry: &Entry,
        key: &TicketKey,
        lease: Box<dyn Lease>,
        before: Option<Fence>,
        place: Place,
    ) -> Result<Option<Held>, Error> {
        let record = shelf.load(key).await;
        if let Some(held) = record.as_ref().and_then(|record| self.adopt(shelf, entry, record, before)) {
            shelf.release(lease).await;
            return Ok(Some(held));
        }
        let exchanged = tokio::select! {
            biased;
            exchanged = self.exchange(entry, place) => exchanged,
            never = keep(&*lease) => match never {},
        };
        let outcome = match exchanged {
            Ok(Some(ticket)) => Ok(Some(self.put(shelf, entry, key, ticket, lease.fence()).await)),
            Ok(None) => Ok(None),
            Err(error) => {
                if let (ErrorKind::Refused(_), Some(record)) = (error.kind(), record) {
                    shelf.remove(key, record.fence).await;
                }
                Err(error)
            }
        };
        shelf.release(lease).await;
        outcome
    }

    /// Goes without the lease that another process keeps and keeps, unless its ticket came while we waited for a place.
    async fn pass_by(
        &self,
        shelf: &Shelf,
        entry: &Entry,
        key: &TicketKey,
        before: Option<Fence>,
        place: Place,
    ) -> Result<Option<Held>, Error> {
        let record = shelf.load(key).await;
        if let Some(held) = record.and_then(|record| self.adopt(shelf, entry, &record, before)) {
            return Ok(Some(held));
        }
        tracing::warn!(context = %self.tenant.context(), "another process keeps the lease; exchanging without");
        self.exchange_alone(entry, place).await
    }

    /// Keeps a new ticket for the others too, or takes theirs when they were faster while we slept.
    async fn put(
        &self,
        shelf: &Shelf,
        entry: &Entry,
        key: &TicketKey,
        ticket: SystemUserTicket,
        fence: Fence,
    ) -> Held {
        let record = record::write(&self.tenant, &ticket, fence);
        match shelf.save(key, &record).await {
            Some(Saved::Outrun) => {
                let there = shelf.load(key).await;
                let theirs = there.and_then(|record| self.adopt(shelf, entry, &record, Some(fence)));
                theirs.unwrap_or_else(|| self.held(ticket, None))
            }
            Some(Saved::Kept) => self.held(ticket, Some(fence)),
            None => self.held(ticket, None),
        }
    }

    async fn exchange_alone(&self, entry: &Entry, place: Place) -> Result<Option<Held>, Error> {
        Ok(self.exchange(entry, place).await?.map(|ticket| self.held(ticket, None)))
    }

    /// Exchanges when it is this one's turn, unless the ticket was used meanwhile and is no longer near its end.
    async fn exchange(&self, entry: &Entry, place: Place) -> Result<Option<SystemUserTicket>, Error> {
        self.inner.limits.turn().await;
        if self.need == Need::Fresh && self.inner.freshness(entry) == Freshness::Fresh {
            return Ok(None);
        }
        let ticket = place.run(self.inner.exchange.exchange(&self.tenant)).await?;
        self.inner.counters.exchanged();
        if self.need == Need::Fresh {
            self.inner.counters.renewed();
        }
        Ok(Some(ticket))
    }

    /// The ticket of a record of the store, if it is good for what is needed.
    fn adopt(&self, shelf: &Shelf, entry: &Entry, record: &Record, before: Option<Fence>) -> Option<Held> {
        let client = &self.inner.client;
        let now = client.clock().now();
        if record.ends <= now
            || self.need == Need::Another && before.is_none_or(|before| record.fence <= before)
        {
            return None;
        }
        let ticket = match record::read(record, &self.tenant, client) {
            Ok(ticket) => ticket,
            Err(reason) => {
                shelf.refuse(&reason);
                return None;
            }
        };
        let mut held = self.held(ticket, Some(record.fence));
        held.is_adopted = true;
        let is_good = match held.freshness(now) {
            Freshness::Fresh => true,
            Freshness::NearEnd => self.need != Need::Fresh,
            Freshness::Ended => false,
        };
        if !is_good || entry.is_rejected(&held.ticket) {
            return None;
        }
        self.inner.counters.adopted();
        Some(held)
    }

    fn held(&self, ticket: SystemUserTicket, fence: Option<Fence>) -> Held {
        Held::new(ticket, fence, self.inner.margins, self.inner.client.clock().now())
    }
}

impl Inner {
    pub(crate) fn freshness(&self, entry: &Entry) -> Freshness {
        let now = self.client.clock().now();
        entry.held.load().as_deref().map_or(Freshness::Ended, |held| held.freshness(now))
    }

    /// Tells the other processes when a ticket was last used, unless the API has refused it meanwhile.
    pub(crate) async fn save_touched(&self, tenant: &Tenant, entry: &Entry, held: &Held) {
        if let (Some(shelf), Some(fence)) = (&self.shelf, held.fence)
            && !entry.is_rejected(&held.ticket)
        {
            let record = record::write(tenant, &held.hand_out(), fence);
            shelf.save(&self.client.ticket_key(tenant), &record).await;
        }
    }

    pub(crate) async fn forget_stored(&self, tenant: &Tenant, fence: Fence) {
        if let Some(shelf) = &self.shelf {
            shelf.remove(&self.client.ticket_key(tenant), fence).await;
        }
    }
}

fn has_passed(deadline: &Instant) -> bool {
    Instant::now() >= *deadline
}

/// Renews a lease for as long as it is polled.
async fn keep(lease: &dyn Lease) -> Infallible {
    let Some(interval) = lease.renewal_interval() else { return std::future::pending().await };
    loop {
        sleep(interval).await;
        match lease.renew().await {
            Ok(Renewed::Held) => {}
            // The exchange is under way already. Its ticket is kept only if nobody else's is there by then.
            Ok(Renewed::Lost) => {
                tracing::warn!("the lease ended in the middle of an exchange; was this process suspended?");
                return std::future::pending().await;
            }
            Err(error) => tracing::debug!(%error, "the lease was not renewed"),
        }
    }
}

/// For how long another process's exchange is waited for; it has time-outs of its own, and a dead one's lease ends.
const LEASE_PATIENCE: Duration = Duration::from_secs(120);
/// The first and the longest pause before somebody else's lease is asked for again.
const MIN_LEASE_PAUSE: Duration = Duration::from_millis(50);
const MAX_LEASE_PAUSE: Duration = Duration::from_secs(1);
