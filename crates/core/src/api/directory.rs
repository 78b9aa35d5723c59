//! Where the tenants live, kept until it may have changed, and asked for once however many want to know.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::moment::Moment;
use super::refusals::Refusals;
use super::status::TenantStatus;
use crate::error::{Error, ErrorKind};
use crate::exchange::SystemUserClient;
use crate::http::HttpClient;
use crate::tenant::ContextIdentifier;

/// What is known of the tenants, of so many at the most.
#[derive(Debug)]
pub(crate) struct Directory {
    client: SystemUserClient,
    entries: Mutex<HashMap<Box<str>, Arc<Entry>>>,
    max_tenants: usize,
    ticks: AtomicU64,
}

/// What is known of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) refusals: Mutex<Refusals>,
    latest: Mutex<Latest>,
    asking: tokio::sync::Mutex<()>,
    seen: AtomicU64,
}

/// What came of asking so far.
#[derive(Debug, Default, Clone)]
struct Latest {
    status: Option<Arc<TenantStatus>>,
    asked_at: Moment,
    /// How often it was asked.
    asks: u64,
    /// Why the last time did not work.
    failure: Option<Error>,
    /// When it was last asked for because of a 421.
    misdirected_at: Moment,
    /// When it was last asked for because the API did not answer as it should.
    broken_at: Moment,
}

/// Why a state that should still hold is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The tenant is not where it was.
    Misdirected,
    /// Its API cannot be reached, or breaks down.
    Broken,
}

/// What is known, and as of which asking.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) status: Arc<TenantStatus>,
    asks: u64,
}

impl Directory {
    pub(crate) fn new(client: SystemUserClient, max_tenants: usize) -> Self {
        Self { client, entries: Mutex::default(), max_tenants: max_tenants.max(1), ticks: AtomicU64::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.lock().len()
    }

    pub(crate) fn entry(&self, context: &ContextIdentifier) -> Arc<Entry> {
        let tick = self.ticks.fetch_add(1, Ordering::Relaxed);
        let mut entries = self.entries.lock();
        let name = context.as_str().to_ascii_lowercase().into();
        let entry = Arc::clone(entries.entry(name).or_default());
        entry.seen.store(tick, Ordering::Relaxed);
        prune(&mut entries, self.max_tenants);
        entry
    }

    /// What is kept of `entry`'s tenant, or what comes of asking.
    pub(crate) async fn find(&self, entry: &Entry, context: &ContextIdentifier) -> Result<Known, Error> {
        let seen = entry.latest();
        match seen.valid(self.client.clock().now()) {
            Some(known) => Ok(known),
            None => self.asked_since(seen.asks, entry, context).await.outcome(),
        }
    }

    /// What comes of asking, although what is `known` should still hold; nothing when that was just done for the same
    /// reason, in vain.
    pub(crate) async fn find_again(
        &self,
        why: Why,
        known: &Known,
        entry: &Entry,
        context: &ContextIdentifier,
    ) -> Option<Result<Known, Error>> {
        let _one_at_a_time = entry.asking.lock().await;
        let now = self.client.clock().now();
        let mut latest = entry.latest();
        if latest.asks == known.asks && !latest.has_just_failed(now) {
            if !entry.may_be_asked_again(why, now) {
                return None;
            }
            // Somebody waits for it with an answer in hand.
            latest = self.ask(&self.client.http().without_retries(), entry, context).await;
        }
        Some(latest.failure.clone().map_or_else(|| latest.outcome(), Err))
    }

    /// What came of the last time that began after so many `asks`, or comes of another.
    async fn asked_since(&self, asks: u64, entry: &Entry, context: &ContextIdentifier) -> Latest {
        let _one_at_a_time = entry.asking.lock().await;
        let latest = entry.latest();
        if latest.asks != asks || latest.has_just_failed(self.client.clock().now()) {
            return latest;
        }
        self.ask(self.client.http(), entry, context).await
    }

    async fn ask(&self, http: &HttpClient, entry: &Entry, context: &ContextIdentifier) -> Latest {
        let outcome = self.client.tenant_status_by(http, context).await;
        match &outcome {
            Ok(status) => {
                tracing::debug!(%context, state = %status.state, valid_until = %status.valid_until, "asked for the tenant's state");
            }
            Err(error) => {
                let cause = std::error::Error::source(error);
                tracing::warn!(%context, %error, cause, "the tenant's state cannot be asked for; an address that is known stays in use");
            }
        }
        entry.keep(outcome, self.client.clock().now())
    }
}

impl Entry {
    fn latest(&self) -> Latest {
        self.latest.lock().clone()
    }

    /// An answer of the API itself ends what a 421 began.
    pub(crate) fn is_where_it_was_sought(&self) {
        self.latest.lock().misdirected_at = Moment::default();
    }

    fn may_be_asked_again(&self, why: Why, now: Timestamp) -> bool {
        let mut latest = self.latest.lock();
        let last = match why {
            Why::Misdirected => &mut latest.misdirected_at,
            Why::Broken => &mut latest.broken_at,
        };
        let may_be = !last.is_within(ASK_AGAIN_PAUSE, now);
        if may_be {
            *last = Moment::of(now);
        }
        may_be
    }

    fn keep(&self, outcome: Result<TenantStatus, Error>, now: Timestamp) -> Latest {
        let mut latest = self.latest.lock();
        latest.asks += 1;
        latest.asked_at = Moment::of(now);
        latest.failure = match outcome {
            Ok(status) => {
                latest.status = Some(Arc::new(status));
                None
            }
            Err(error) => Some(error),
        };
        latest.clone()
    }
}

impl Latest {
    fn known(&self) -> Option<Known> {
        self.status.as_ref().map(|status| Known { status: Arc::clone(status), asks: self.asks })
    }

    fn has_just_failed(&self, now: Timestamp) -> bool {
        self.failure.is_some() && self.asked_at.is_within(FAILURE_PAUSE, now)
    }

    fn valid(&self, now: Timestamp) -> Option<Known> {
        let known = self.known()?;
        let age = self.asked_at.age(now)?;
        // A tenant that is down is looked after more often than it says.
        let is_kept = known.status.is_running || age < DOWN_VALIDITY;
        (is_kept && now < known.status.valid_until).then_some(known)
    }

    /// Where asking fails, an older address is better than none.
    fn outcome(&self) -> Result<Known, Error> {
        match (self.known(), &self.failure) {
            (Some(known), None) => Ok(known),
            (Some(known), Some(_)) if known.status.is_running => Ok(known),
            (_, Some(failure)) => Err(failure.clone()),
            (None, None) => Err(Error::new(ErrorKind::Bug, "nobody asked for the tenant's state")),
        }
    }
}

/// Takes out those that were asked for the longest ago, a few more than need be, since finding them means to look at all.
fn prune(entries: &mut HashMap<Box<str>, Arc<Entry>>, max_tenants: usize) {
    let surplus = entries.len().saturating_sub(max_tenants);
    if surplus == 0 {
        return;
    }
    let mut seen: Vec<_> = entries.values().map(|entry| entry.seen.load(Ordering::Relaxed)).collect();
    let (_, last_out, _) = seen.select_nth_unstable(surplus - 1 + max_tenants / EXTRA_SHARE);
    let last_out = *last_out;
    entries.retain(|_, entry| entry.seen.load(Ordering::Relaxed) > last_out);
}

/// For how long it is believed that a tenant is down.
pub(crate) const DOWN_VALIDITY: Duration = Duration::from_secs(30);
/// For how long a state that was just asked for is not asked for again, whatever the API says.
pub(crate) const ASK_AGAIN_PAUSE: Duration = Duration::from_secs(10);
/// For how long a state endpoint that failed for a tenant is left alone.
pub(crate) const FAILURE_PAUSE: Duration = Duration::from_secs(10);
/// One in so many tenants goes beyond those that have to.
const EXTRA_SHARE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_called_the_longest_ago_makes_room() {
        for max_tenants in [1, 2, 100, 1000] {
            let mut entries = HashMap::new();
            for tick in 0..5000_u64 {
                let entry = Entry { seen: AtomicU64::new(tick), ..Entry::default() };
                entries.insert(tick.to_string().into(), Arc::new(entry));
                prune(&mut entries, max_tenants);
                assert!(entries.len() <= max_tenants);
                assert!(entries.contains_key(&*tick.to_string()), "the newcomer stays");
            }
            assert!(entries.len() + max_tenants / EXTRA_SHARE + 1 >= max_tenants);
            assert!(
                entries.values().all(|entry| entry.seen.load(Ordering::Relaxed) >= 5000 - max_tenants as u64)
            );
        }
    }
}
