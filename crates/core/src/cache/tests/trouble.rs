//! Failures: what is kept, what is forgotten, for how long, and who is spared.

use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout};

use super::support::*;
use crate::cache::{ExchangeLimits, TicketCacheBuilder};
use crate::error::ErrorKind;

const ERROR_MEMORY: Duration = TicketCacheBuilder::DEFAULT_ERROR_MEMORY;

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_keeps_the_ticket_and_backs_off() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_NEAR_END).await;
    bench.service.set(&tenant(1), Mood::Away);
    let start = Instant::now();
    while start.elapsed() < 7 * MINUTE {
        assert!(cache.ticket(&tenant(1)).await.unwrap().is_same_as(&first));
        sleep(Duration::from_millis(100)).await;
    }
    let begun = bench.service.with(&tenant(1), |account| account.begun.clone());
    let renewals = begun.len() - 1;
    // Pauses of 1, 2, 4, … 60 seconds, each at least half as long.
    assert!((11..=26).contains(&renewals), "{renewals}");
    let pauses: Vec<_> = begun[1..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] < Duration::from_secs(2), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause < ERROR_MEMORY + Duration::from_secs(1)), "{pauses:?}");
    bench.service.set(&tenant(1), Mood::Kind);
    advance(ERROR_MEMORY).await;
    cache.ticket(&tenant(1)).await.unwrap();
    settle().await;
    advance(MINUTE).await;
    assert!(!cache.ticket(&tenant(1)).await.unwrap().is_same_as(&first), "and it recovers");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_evicts_at_once_and_is_remembered_for_the_stated_time() {
    let bench = Bench::new();
    let cache = bench.cache();
    cache.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_NEAR_END).await;
    bench.service.set(&tenant(1), Mood::Revoked);
    cache.ticket(&tenant(1)).await.unwrap();
    settle().await;
    for _ in 0..100 {
        let error = cache.ticket(&tenant(1)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{error}");
    }
    assert_eq!(bench.service.begun(&tenant(1)), 2);
    assert_eq!(cache.statistics().remembered_failures, 100);
    bench.service.set(&tenant(1), Mood::Kind);
    advance(ERROR_MEMORY).await;
    assert!(cache.ticket(&tenant(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn no_failure_is_remembered_longer_than_the_stated_time() {
    let bench = Bench::new();
    let memory = Duration::from_secs(3);
    let cache = bench.builder().with_error_memory(memory).build();
    for mood in [Mood::Away, Mood::Revoked, Mood::Panicking] {
        bench.service.set(&tenant(1), mood);
        for _ in 0..20 {
            let before = bench.service.begun(&tenant(1));
            assert!(cache.ticket(&tenant(1)).await.is_err());
            assert_eq!(bench.service.begun(&tenant(1)), before + 1, "{mood:?}");
            assert!(cache.ticket(&tenant(1)).await.is_err());
            assert_eq!(bench.service.begun(&tenant(1)), before + 1, "remembered: {mood:?}");
            advance(memory).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_panics_fails_for_its_waiters_and_for_nobody_else() {
    let bench = Bench::new();
    let cache = bench.cache();
    bench.service.set(&tenant(1), Mood::Panicking);
    let error = cache.ticket(&tenant(1)).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Bug);
    assert!(cache.ticket(&tenant(2)).await.is_ok());
    bench.service.set(&tenant(1), Mood::Kind);
    advance(ERROR_MEMORY).await;
    assert!(cache.ticket(&tenant(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn tenants_whose_exchanges_hang_do_not_keep_others_from_theirs() {
    let bench = Bench::new();
    let cache =
        bench.builder().with_limits(ExchangeLimits::new().with_concurrent(4).with_per_second(0)).build();
    for number in 100..104 {
        bench.service.set(&tenant(number), Mood::Hanging);
        let cache = cache.clone();
        tokio::spawn(async move { cache.ticket(&tenant(number)).await });
    }
    settle().await;
    let answer = timeout(ExchangeLimits::PATIENCE, cache.ticket(&tenant(1))).await;
    assert!(answer.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn tenants_that_failed_wait_among_themselves() {
    let bench = Bench::new();
    let cache =
        bench.builder().with_limits(ExchangeLimits::new().with_concurrent(4).with_per_second(0)).build();
    for number in 100..140 {
        bench.service.set(&tenant(number), Mood::Away);
        assert!(cache.ticket(&tenant(number)).await.is_err());
        bench.service.set(&tenant(number), Mood::Hanging);
    }
    advance(MINUTE).await;
    for number in 100..140 {
        let cache = cache.clone();
        tokio::spawn(async move { cache.ticket(&tenant(number)).await });
    }
    settle().await;
    let start = Instant::now();
    assert!(cache.ticket(&tenant(1)).await.is_ok());
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn a_waiter_outlives_the_runtime_that_its_exchange_ran_on() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let first = runtime();
    let (bench, cache) = first.block_on(async {
        let bench = Bench::new();
        let cache = bench.cache();
        bench.service.set_latency(&tenant(1), MINUTE);
        assert!(timeout(Duration::from_secs(1), cache.ticket(&tenant(1))).await.is_err());
        (bench, cache)
    });
    drop(first);
    let ticket = runtime().block_on(async { cache.ticket(&tenant(1)).await });
    assert!(ticket.is_ok());
    assert_eq!(bench.service.begun(&tenant(1)), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_may_be_remembered_for_ever() {
    let bench = Bench::new();
    let cache = bench.builder().with_error_memory(Duration::MAX).build();
    bench.service.set(&tenant(1), Mood::Revoked);
    for _ in 0..3 {
        let error = cache.ticket(&tenant(1)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn renewals_back_off_also_where_callers_are_told_no_old_failure() {
    let bench = Bench::new();
    let cache = bench.builder().with_error_memory(Duration::ZERO).build();
    cache.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_NEAR_END).await;
    bench.service.set(&tenant(1), Mood::Away);
    let start = Instant::now();
    while start.elapsed() < MINUTE {
        cache.ticket(&tenant(1)).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert!(bench.service.begun(&tenant(1)) <= 12, "{}", bench.service.begun(&tenant(1)));
}
