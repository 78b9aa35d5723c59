//! Several caches over one store, and stores that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{advance, sleep, timeout};

use super::support::*;
use crate::cache::ExchangeLimits;
use crate::error::ErrorKind;
use crate::store::{
    Fence, Lease, MemoryStore, Record, Renewed, Saved, StoreError, StoreErrorKind, TicketKey, TicketStore,
};

#[tokio::test(start_paused = true)]
async fn a_ticket_in_the_store_needs_no_exchange() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let first = bench.builder().with_store(store.clone()).build().ticket(&tenant(1)).await.unwrap();
    advance(60 * MINUTE).await;
    let later = bench.builder().with_store(store).build();
    let ticket = later.ticket(&tenant(1)).await.unwrap();
    assert!(ticket.is_same_as(&first));
    assert_eq!((ticket.issued_at(), ticket.expires_at()), (first.issued_at(), first.expires_at()));
    assert_eq!(bench.service.begun(&tenant(1)), 1);
    assert_eq!(later.statistics().adopted, 1);
}

#[tokio::test(start_paused = true)]
async fn caches_that_ask_at_once_make_one_exchange_between_them() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    bench.service.set_latency(&tenant(1), Duration::from_secs(20));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let cache = bench.builder().with_store(store.clone()).build();
            tokio::spawn(async move { cache.ticket(&tenant(1)).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().expose(), "7T:Cust1:1");
    }
    assert_eq!(bench.service.begun(&tenant(1)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_use_by_one_keeps_the_ticket_alive_for_all() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let (user, idler) =
        (bench.builder().with_store(store.clone()).build(), bench.builder().with_store(store).build());
    let ticket = user.ticket(&tenant(1)).await.unwrap();
    idler.ticket(&tenant(1)).await.unwrap();
    for _ in 0..100 {
        advance(LIFETIME / 10).await;
        user.touch(&tenant(1), &ticket);
        settle().await;
        assert!(idler.ticket(&tenant(1)).await.unwrap().is_same_as(&ticket));
        settle().await;
    }
    assert_eq!(bench.service.begun(&tenant(1)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_was_refused_is_not_taken_from_the_store_again() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let cache = bench.builder().with_store(store.clone()).build();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    cache.invalidate(&tenant(1), &first);
    assert!(!cache.ticket(&tenant(1)).await.unwrap().is_same_as(&first));
    let other = bench.builder().with_store(store).build();
    assert_eq!(other.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2", "nor by anybody else");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_overtakes_the_store_and_tells_it() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let cache = bench.builder().with_store(store.clone()).build();
    cache.ticket(&tenant(1)).await.unwrap();
    assert_eq!(cache.refresh(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
    let other = bench.builder().with_store(store).build();
    assert_eq!(other.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
}

#[tokio::test(start_paused = true)]
async fn another_tenants_record_is_not_trusted() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let cache = bench.builder().with_store(store.clone()).build();
    cache.ticket(&tenant(1)).await.unwrap();
    let key = |number| cache.client().ticket_key(&tenant(number));
    let record = store.load(&key(1)).await.unwrap().unwrap();
    store.save(&key(2), &record).await.unwrap();
    let ticket = cache.ticket(&tenant(2)).await.unwrap();
    assert_eq!(ticket.expose(), "7T:Cust2:1");
    assert!(cache.statistics().store_failures > 0);
}

/// A store with something wrong about it.
#[derive(Debug, Clone, Default)]
struct Odd {
    inner: MemoryStore,
    fails: Arc<Mutex<Option<StoreErrorKind>>>,
    hangs: Arc<AtomicBool>,
    is_leased_away: Arc<AtomicBool>,
    releases_slowly: Arc<AtomicBool>,
    /// What somebody else saves while we exchange.
    overtaking: Arc<Mutex<Option<Record>>>,
}

impl Odd {
    async fn trouble(&self) -> Result<(), StoreError> {
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let fails = *self.fails.lock();
        fails.map_or(Ok(()), |kind| Err(StoreError::new(kind, "as it was told to")))
    }
}

#[async_trait]
impl TicketStore for Odd {
    async fn load(&self, key: &TicketKey) -> Result<Option<Record>, StoreError> {
        self.trouble().await?;
        self.inner.load(key).await
    }

    async fn save(&self, key: &TicketKey, record: &Record) -> Result<Saved, StoreError> {
        let overtaking = self.overtaking.lock().take();
        if let Some(mut other) = overtaking {
            other.fence = Fence(record.fence.0 + 1);
            self.inner.save(key, &other).await?;
        }
        match *self.fails.lock() {
            Some(StoreErrorKind::Unreadable) => {}
            Some(kind) => return Err(StoreError::new(kind, "as it was told to")),
            None => {}
        }
        self.inner.save(key, record).await
    }

    async fn remove(&self, key: &TicketKey, fence: Fence) -> Result<(), StoreError> {
        self.trouble().await?;
        self.inner.remove(key, fence).await
    }

    async fn lease(&self, key: &TicketKey) -> Result<Option<Box<dyn Lease>>, StoreError> {
        if self.is_leased_away.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match *self.fails.lock() {
            Some(StoreErrorKind::Unreadable) | None => {}
            Some(kind) => return Err(StoreError::new(kind, "as it was told to")),
        }
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let lease = self.inner.lease(key).await?;
        let is_slow = self.releases_slowly.load(Ordering::Relaxed);
        Ok(lease.map(|lease| if is_slow { Box::new(SlowLease(lease)) } else { lease }))
    }
}

/// Takes a second to be given back.
#[derive(Debug)]
struct SlowLease(Box<dyn Lease>);

#[async_trait]
impl Lease for SlowLease {
    fn fence(&self) -> Fence {
        self.0.fence()
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        sleep(Duration::from_secs(1)).await;
        self.0.release().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_no_outage() {
    let bench = Bench::new();
    let store = Odd::default();
    let cache = bench.builder().with_store(store.clone()).build();
    *store.fails.lock() = Some(StoreErrorKind::Unavailable);
    assert!(cache.ticket(&tenant(1)).await.is_ok());
    assert_eq!(cache.statistics().store_failures, 1, "and it is left alone for a while");
    *store.fails.lock() = None;
    advance(MINUTE).await;
    cache.ticket(&tenant(2)).await.unwrap();
    let other = bench.builder().with_store(store).build();
    other.ticket(&tenant(2)).await.unwrap();
    assert_eq!(bench.service.begun(&tenant(2)), 1, "and used again when it is back");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_waited_for() {
    let bench = Bench::new();
    let store = Odd::default();
    store.hangs.store(true, Ordering::Relaxed);
    let cache = bench.builder().with_store(store).build();
    assert!(timeout(Duration::from_secs(10), cache.ticket(&tenant(1))).await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_is_overwritten() {
    let bench = Bench::new();
    let store = Odd::default();
    *store.fails.lock() = Some(StoreErrorKind::Unreadable);
    bench.builder().with_store(store.clone()).build().ticket(&tenant(1)).await.unwrap();
    *store.fails.lock() = None;
    bench.builder().with_store(store).build().ticket(&tenant(1)).await.unwrap();
    assert_eq!(bench.service.begun(&tenant(1)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_never_given_back_is_waited_for_and_then_passed_by() {
    let bench = Bench::new();
    let store = Odd::default();
    store.is_leased_away.store(true, Ordering::Relaxed);
    let cache = bench.builder().with_store(store).build();
    assert!(timeout(MINUTE, cache.ticket(&tenant(1))).await.is_err());
    assert!(timeout(2 * MINUTE, cache.ticket(&tenant(1))).await.unwrap().is_ok());
    assert_eq!(bench.service.begun(&tenant(1)), 1);
}

#[tokio::test(start_paused = true)]
async fn who_slept_through_the_end_of_his_lease_takes_what_came_after_it() {
    let bench = Bench::new();
    let store = Odd::default();
    let first = bench.builder().with_store(store.clone()).build();
    first.ticket(&tenant(1)).await.unwrap();
    let key = first.client().ticket_key(&tenant(1));
    let theirs = store.load(&key).await.unwrap().unwrap();
    store.remove(&key, theirs.fence).await.unwrap();
    *store.overtaking.lock() = Some(theirs);
    let sleeper = bench.builder().with_store(store).build();
    assert_eq!(sleeper.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:1");
    assert_eq!(bench.service.begun(&tenant(1)), 2);
}

#[tokio::test]
async fn a_memory_lease_ends_when_it_is_dropped() {
    let store = MemoryStore::new();
    let bench = Bench::new();
    let key = bench.cache().client().ticket_key(&tenant(1));
    let lease = store.lease(&key).await.unwrap().unwrap();
    assert_eq!(lease.renew().await.unwrap(), Renewed::Held);
    assert!(store.lease(&key).await.unwrap().is_none());
    let fence = lease.fence();
    drop(lease);
    assert!(store.lease(&key).await.unwrap().unwrap().fence() > fence);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_of_anothers_renewal_counts_as_taken_over_only() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let (one, other) =
        (bench.builder().with_store(store.clone()).build(), bench.builder().with_store(store).build());
    one.ticket(&tenant(1)).await.unwrap();
    other.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_NEAR_END).await;
    for cache in [&one, &other] {
        cache.ticket(&tenant(1)).await.unwrap();
        settle().await;
    }
    assert_eq!(bench.service.begun(&tenant(1)), 2);
    assert_eq!((one.statistics().renewals, one.statistics().adopted), (1, 0));
    assert_eq!((other.statistics().renewals, other.statistics().adopted), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn who_waits_long_for_his_turn_still_waits_for_a_lease() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let limits = ExchangeLimits::new().with_concurrent(1).with_per_second(0);
    let cache = bench.builder().with_store(store.clone()).with_limits(limits).build();
    let mut tasks = JoinSet::new();
    for number in 10..60 {
        bench.service.set_latency(&tenant(number), Duration::from_secs(4));
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await });
    }
    settle().await;
    let lease = store.lease(&cache.client().ticket_key(&tenant(1))).await.unwrap();
    let waiter = tokio::spawn({
        let cache = cache.clone();
        async move { cache.ticket(&tenant(1)).await.unwrap() }
    });
    sleep(4 * MINUTE).await;
    assert_eq!(bench.service.begun(&tenant(1)), 0, "somebody else has the lease");
    drop(lease);
    waiter.await.unwrap();
    assert_eq!(bench.service.begun(&tenant(1)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_evicts_from_the_store_too() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    let cache = bench.builder().with_store(store.clone()).build();
    cache.ticket(&tenant(1)).await.unwrap();
    bench.service.set(&tenant(1), Mood::Revoked);
    assert!(cache.refresh(&tenant(1)).await.is_err());
    for _ in 0..3 {
        advance(MINUTE).await;
        let error = cache.ticket(&tenant(1)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{error}");
    }
    let other = bench.builder().with_store(store).build();
    assert!(other.ticket(&tenant(1)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_takes_nothing_old_from_a_store_that_was_away_at_first() {
    let bench = Bench::new();
    let store = Odd::default();
    bench.builder().with_store(store.clone()).build().ticket(&tenant(1)).await.unwrap();
    let limits = ExchangeLimits::new().with_concurrent(1).with_per_second(0);
    let cache = bench.builder().with_store(store.clone()).with_limits(limits).build();
    let mut tasks = JoinSet::new();
    for number in 10..14 {
        bench.service.set_latency(&tenant(number), 4 * MINUTE / 60);
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await });
    }
    settle().await;
    *store.fails.lock() = Some(StoreErrorKind::Unavailable);
    let refresh = tokio::spawn({
        let cache = cache.clone();
        async move { cache.refresh(&tenant(1)).await.unwrap() }
    });
    settle().await;
    *store.fails.lock() = None;
    assert_eq!(refresh.await.unwrap().expose(), "7T:Cust1:2");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_does_not_take_what_others_who_ask_meanwhile_take_from_the_store() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    bench.builder().with_store(store.clone()).build().ticket(&tenant(1)).await.unwrap();
    let cache = bench.builder().with_store(store).build();
    let (one, number_one) = (tenant(1), tenant(1));
    let (kept, refreshed) = tokio::join!(cache.ticket(&one), cache.refresh(&number_one));
    assert_eq!(kept.unwrap().expose(), "7T:Cust1:1");
    assert_eq!(refreshed.unwrap().expose(), "7T:Cust1:2");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_refused_while_it_is_taken_from_the_store_is_forgotten() {
    let bench = Bench::new();
    let store = Odd::default();
    let limits = ExchangeLimits::new().with_concurrent(1).with_per_second(0);
    let one = bench.builder().with_store(store.clone()).with_limits(limits).build();
    let first = one.ticket(&tenant(1)).await.unwrap();
    let other = bench.builder().with_store(store.clone()).build();
    other.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_NEAR_END).await;
    bench.service.set_latency(&tenant(2), Duration::from_secs(4));
    assert!(timeout(Duration::from_secs(1), one.ticket(&tenant(2))).await.is_err());
    one.ticket(&tenant(1)).await.unwrap();
    settle().await;
    other.touch(&tenant(1), &first);
    store.releases_slowly.store(true, Ordering::Relaxed);
    sleep(Duration::from_millis(3500)).await;
    one.invalidate(&tenant(1), &first);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(one.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
}

/// A store that answers one call after the other.
#[derive(Debug, Clone, Default)]
struct Queueing {
    inner: MemoryStore,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Queueing {
    async fn turn(&self) {
        let _turn = self.turn.lock().await;
        sleep(Duration::from_millis(1)).await;
    }
}

#[async_trait]
impl TicketStore for Queueing {
    async fn load(&self, key: &TicketKey) -> Result<Option<Record>, StoreError> {
        self.turn().await;
        self.inner.load(key).await
    }

    async fn save(&self, key: &TicketKey, record: &Record) -> Result<Saved, StoreError> {
        self.turn().await;
        self.inner.save(key, record).await
    }

    async fn remove(&self, key: &TicketKey, fence: Fence) -> Result<(), StoreError> {
        self.turn().await;
        self.inner.remove(key, fence).await
    }

    async fn lease(&self, key: &TicketKey) -> Result<Option<Box<dyn Lease>>, StoreError> {
        self.turn().await;
        self.inner.lease(key).await
    }
}

#[tokio::test(start_paused = true)]
async fn many_tenants_at_once_do_not_make_a_store_look_away() {
    let bench = Bench::new();
    let store = Queueing::default();
    let cache = bench.builder().with_store(store).build();
    let mut tasks = JoinSet::new();
    for number in 0..10_000 {
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await.unwrap() });
    }
    tasks.join_all().await;
    assert_eq!(cache.statistics().store_failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_of_a_machine_whose_clock_is_far_ahead_is_not_taken_over() {
    let bench = Bench::new();
    let store = MemoryStore::new();
    bench.clock.shift(SignedDuration::from_hours(2));
    bench.builder().with_store(store.clone()).build().ticket(&tenant(1)).await.unwrap();
    bench.clock.shift(SignedDuration::from_hours(-2));
    advance(60 * MINUTE).await;
    let other = bench.builder().with_store(store).build();
    assert_eq!(other.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
}

#[tokio::test(start_paused = true)]
async fn who_passes_a_lease_by_looks_for_its_ticket_first() {
    let bench = Bench::new();
    let store = Odd::default();
    store.is_leased_away.store(true, Ordering::Relaxed);
    let limits = ExchangeLimits::new().with_concurrent(1).with_per_second(0);
    let cache = bench.builder().with_store(store.clone()).with_limits(limits).build();
    let waiter = tokio::spawn({
        let cache = cache.clone();
        async move { cache.ticket(&tenant(1)).await.unwrap() }
    });
    settle().await;
    let mut tasks = JoinSet::new();
    store.is_leased_away.store(false, Ordering::Relaxed);
    for number in 10..60 {
        bench.service.set_latency(&tenant(number), Duration::from_secs(4));
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await });
    }
    sleep(MINUTE).await;
    bench.builder().with_store(store.inner.clone()).build().ticket(&tenant(1)).await.unwrap();
    sleep(2 * MINUTE).await;
    store.is_leased_away.store(true, Ordering::Relaxed);
    assert_eq!(waiter.await.unwrap().expose(), "7T:Cust1:1");
    assert_eq!(bench.service.begun(&tenant(1)), 1);
}
