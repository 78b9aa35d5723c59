//! Simultaneous exchanges, their rate, and the number of tenants.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, advance, timeout};

use super::support::*;
use crate::cache::ExchangeLimits;

#[tokio::test(start_paused = true)]
async fn no_more_exchanges_run_at_once_than_the_limit_says() {
    let bench = Bench::new();
    let cache =
        bench.builder().with_limits(ExchangeLimits::new().with_concurrent(7).with_per_second(0)).build();
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        bench.service.set_latency(&tenant(number), Duration::from_millis(100));
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await.unwrap() });
    }
    tasks.join_all().await;
    assert_eq!(bench.service.all.lock().most_at_once, 7);
}

#[tokio::test(start_paused = true)]
async fn exchanges_start_evenly_spaced_and_in_turn() {
    let bench = Bench::new();
    let cache = bench.builder().with_limits(ExchangeLimits::new().with_per_second(10)).build();
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await.unwrap() });
    }
    tasks.join_all().await;
    let begun = bench.service.all.lock().begun.clone();
    assert!(begun.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(99)), "{begun:?}");
    let order: Vec<_> = (0..50).map(|n| bench.service.with(&tenant(n), |account| account.begun[0])).collect();
    assert!(order.is_sorted(), "first come, first served");
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_saves_up_no_burst() {
    let bench = Bench::new();
    let cache = bench.builder().with_limits(ExchangeLimits::new().with_per_second(1)).build();
    cache.ticket(&tenant(0)).await.unwrap();
    advance(60 * MINUTE).await;
    let start = Instant::now();
    for number in 1..=5 {
        cache.ticket(&tenant(number)).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn the_tenants_that_nobody_asked_for_go_first() {
    let bench = Bench::new();
    let cache = bench.builder().with_max_tenants(3).build();
    for number in [1, 2, 3, 1, 2, 4] {
        advance(Duration::from_millis(1)).await;
        cache.ticket(&tenant(number)).await.unwrap();
    }
    assert_eq!(cache.statistics().tenants, 3);
    assert_eq!(cache.statistics().evicted, 1);
    for number in [1, 2, 4] {
        cache.ticket(&tenant(number)).await.unwrap();
        assert_eq!(bench.service.begun(&tenant(number)), 1, "{number} was kept");
    }
    cache.ticket(&tenant(3)).await.unwrap();
    assert_eq!(bench.service.begun(&tenant(3)), 2, "3 had gone");
}

#[tokio::test(start_paused = true)]
async fn many_tenants_stay_within_the_bound() {
    let bench = Bench::new();
    let cache = bench.builder().with_max_tenants(100).build();
    for number in 0..1000 {
        cache.ticket(&tenant(number)).await.unwrap();
        assert!(cache.statistics().tenants <= 100);
    }
    assert!(cache.statistics().tenants >= 98, "and it is used");
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_is_waited_for_is_not_forgotten() {
    let bench = Bench::new();
    let cache = bench.builder().with_max_tenants(2).build();
    bench.service.set_latency(&tenant(0), MINUTE);
    assert!(timeout(Duration::from_secs(1), cache.ticket(&tenant(0))).await.is_err());
    for number in 1..50 {
        cache.ticket(&tenant(number)).await.unwrap();
    }
    cache.ticket(&tenant(0)).await.unwrap();
    assert_eq!(bench.service.begun(&tenant(0)), 1);
}

#[tokio::test(start_paused = true)]
async fn tenants_in_trouble_are_within_the_limit_too() {
    let bench = Bench::new();
    let limits = ExchangeLimits::new().with_concurrent(4).with_per_second(0);
    let cache = bench.builder().with_limits(limits).build();
    for number in 100..140 {
        bench.service.set(&tenant(number), Mood::Away);
        assert!(cache.ticket(&tenant(number)).await.is_err());
        bench.service.set(&tenant(number), Mood::Kind);
    }
    advance(MINUTE).await;
    let mut tasks = JoinSet::new();
    for number in 80..140 {
        bench.service.set_latency(&tenant(number), Duration::from_secs(1));
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await.unwrap() });
    }
    tasks.join_all().await;
    assert_eq!(bench.service.all.lock().most_at_once, 4);
}

#[tokio::test(start_paused = true)]
async fn tenants_that_came_all_at_once_are_within_the_bound_when_they_are_served() {
    let bench = Bench::new();
    let cache = bench.builder().with_max_tenants(100).build();
    let mut tasks = JoinSet::new();
    for number in 0..1000 {
        bench.service.set_latency(&tenant(number), Duration::from_millis(100));
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant(number)).await.unwrap() });
    }
    tasks.join_all().await;
    settle().await;
    assert!(cache.statistics().tenants <= 100, "{}", cache.statistics().tenants);
}
