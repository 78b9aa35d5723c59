//! When there is an exchange, and when there is none.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, advance, timeout};

use super::support::*;
use crate::cache::TicketCacheBuilder;
use crate::clock::Clock as _;
use crate::tenant::Tenant;

#[tokio::test(start_paused = true)]
async fn a_fresh_ticket_is_returned_without_an_exchange() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_FRESH).await;
    for _ in 0..1000 {
        assert!(cache.ticket(&tenant(1)).await.unwrap().is_same_as(&first));
    }
    settle().await;
    assert_eq!(bench.service.begun(&tenant(1)), 1);
    let statistics = cache.statistics();
    assert_eq!((statistics.hits, statistics.misses, statistics.exchanges), (1000, 1, 1));
    assert!(statistics.oldest_ticket.unwrap() >= SURELY_FRESH);
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_at_once_waits_for_one_exchange() {
    let bench = Bench::new();
    let cache = bench.cache();
    bench.service.set_latency(&tenant(1), MINUTE / 60);
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.ticket(&tenant(1)).await.unwrap() })
        })
        .collect();
    settle().await;
    assert_eq!(cache.statistics().waiters, 500);
    for task in tasks {
        assert_eq!(task.await.unwrap().expose(), "7T:Cust1:1");
    }
    assert_eq!(bench.service.begun(&tenant(1)), 1);
    assert_eq!(cache.statistics().waiters, 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_cancel_the_exchange_for_the_others() {
    let bench = Bench::new();
    let cache = bench.cache();
    bench.service.set_latency(&tenant(1), Duration::from_secs(10));
    let patient = tokio::spawn({
        let cache = cache.clone();
        async move { cache.ticket(&tenant(1)).await }
    });
    let impatient = timeout(Duration::from_secs(1), cache.ticket(&tenant(1))).await;
    assert!(impatient.is_err());
    assert!(patient.await.unwrap().is_ok());
    let alone = bench.cache();
    assert!(timeout(Duration::from_secs(1), alone.ticket(&tenant(1))).await.is_err());
    advance(Duration::from_secs(10)).await;
    settle().await;
    assert!(alone.ticket(&tenant(1)).await.is_ok(), "also when nobody was left to wait");
    assert_eq!(bench.service.begun(&tenant(1)), 2);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_near_its_end_is_returned_at_once_and_renewed_once() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_NEAR_END).await;
    bench.service.set_latency(&tenant(1), MINUTE);
    let start = Instant::now();
    for _ in 0..100 {
        assert!(cache.ticket(&tenant(1)).await.unwrap().is_same_as(&first));
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "nobody waits");
    settle().await;
    advance(MINUTE).await;
    settle().await;
    assert_eq!(cache.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
    assert_eq!(bench.service.begun(&tenant(1)), 2);
    assert_eq!(cache.statistics().renewals, 1);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_of_tickets_does_not_renew_in_step() {
    let bench = Bench::new();
    let cache = bench.cache();
    let tenants: Vec<_> = (0..200).map(tenant).collect();
    for tenant in &tenants {
        cache.ticket(tenant).await.unwrap();
    }
    advance(SURELY_FRESH).await;
    let mut renewed_in_minute = Vec::new();
    while renewed_in_minute.iter().sum::<usize>() < tenants.len() {
        let before: usize = tenants.iter().map(|tenant| bench.service.begun(tenant)).sum();
        for tenant in &tenants {
            cache.ticket(tenant).await.unwrap();
        }
        advance(MINUTE).await;
        settle().await;
        let after: usize = tenants.iter().map(|tenant| bench.service.begun(tenant)).sum();
        renewed_in_minute.push(after - before);
    }
    assert!(renewed_in_minute.iter().all(|renewed| *renewed < tenants.len() / 2), "{renewed_in_minute:?}");
}

#[tokio::test(start_paused = true)]
async fn an_ended_ticket_is_never_returned() {
    let bench = Bench::new();
    let cache = bench.cache();
    cache.ticket(&tenant(1)).await.unwrap();
    advance(LIFETIME - TicketCacheBuilder::RESERVE).await;
    let start = Instant::now();
    bench.service.set_latency(&tenant(1), Duration::from_secs(3));
    assert_eq!(cache.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
    assert_eq!(start.elapsed().as_secs(), 3, "it was waited for");
}

#[tokio::test(start_paused = true)]
async fn what_runs_in_the_background_stops_with_the_cache() {
    let bench = Bench::new();
    let cache = bench.cache();
    cache.ticket(&tenant(1)).await.unwrap();
    advance(SURELY_NEAR_END).await;
    bench.service.set(&tenant(1), Mood::Hanging);
    cache.ticket(&tenant(1)).await.unwrap();
    settle().await;
    assert_eq!(bench.service.at_once(&tenant(1)), 1);
    let clone = cache.clone();
    drop(cache);
    settle().await;
    assert_eq!(bench.service.at_once(&tenant(1)), 1, "a clone is left");
    drop(clone);
    settle().await;
    assert_eq!(bench.service.at_once(&tenant(1)), 0);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_in_steady_use_is_never_exchanged_again() {
    let bench = Bench::new();
    let cache = bench.cache();
    for _ in 0..100 {
        let ticket = cache.ticket(&tenant(1)).await.unwrap();
        cache.touch(&tenant(1), &ticket);
        advance(SURELY_FRESH).await;
    }
    settle().await;
    assert_eq!(bench.service.begun(&tenant(1)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_only_handed_out_ends_at_its_issue_time_plus_the_lifetime() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    for _ in 0..71 {
        advance(LIFETIME / 72).await;
        let ticket = cache.ticket(&tenant(1)).await.unwrap();
        assert!(!ticket.is_same_as(&first) || ticket.expires_at() == first.expires_at());
    }
    advance(LIFETIME / 72).await;
    assert!(!cache.ticket(&tenant(1)).await.unwrap().is_same_as(&first));
    assert_eq!(bench.service.begun(&tenant(1)), 2);
}

#[tokio::test(start_paused = true)]
async fn a_use_shows_in_the_end_of_what_is_handed_out_next() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    advance(60 * MINUTE).await;
    cache.touch(&tenant(1), &first);
    let later = cache.ticket(&tenant(1)).await.unwrap();
    assert_eq!(later.expires_at().duration_since(first.expires_at()), SignedDuration::from_hours(1));
    assert_eq!(later.issued_at(), first.issued_at());
}

#[tokio::test(start_paused = true)]
async fn only_the_ticket_that_was_refused_is_forgotten() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    cache.invalidate(&tenant(1), &first);
    let second = cache.ticket(&tenant(1)).await.unwrap();
    assert!(!second.is_same_as(&first));
    for _ in 0..10 {
        cache.invalidate(&tenant(1), &first);
        cache.touch(&tenant(1), &first);
    }
    assert!(cache.ticket(&tenant(1)).await.unwrap().is_same_as(&second), "late callers evict no successor");
    assert_eq!(bench.service.begun(&tenant(1)), 2);
    assert_eq!(cache.statistics().invalidated, 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_exchanges_whatever_is_kept() {
    let bench = Bench::new();
    let cache = bench.cache();
    cache.ticket(&tenant(1)).await.unwrap();
    assert_eq!(cache.refresh(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
    assert_eq!(cache.ticket(&tenant(1)).await.unwrap().expose(), "7T:Cust1:2");
}

#[tokio::test(start_paused = true)]
async fn case_makes_no_other_tenant_and_a_new_approval_does() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    let in_capitals = Tenant::new("CUST1".parse().unwrap(), "App-1".parse().unwrap());
    assert!(cache.ticket(&in_capitals).await.unwrap().is_same_as(&first));
    let approved_anew = Tenant::new("Cust1".parse().unwrap(), "App-2".parse().unwrap());
    assert!(!cache.ticket(&approved_anew).await.unwrap().is_same_as(&first));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_keep_a_ticket_alive() {
    let bench = Bench::new();
    let cache = bench.cache();
    cache.ticket(&tenant(1)).await.unwrap();
    bench.clock.shift(SignedDuration::from_mins(-1));
    cache.ticket(&tenant(1)).await.unwrap();
    assert_eq!(bench.service.begun(&tenant(1)), 1, "a correction of a minute is none");
    bench.clock.shift(SignedDuration::from_hours(-3));
    cache.ticket(&tenant(1)).await.unwrap();
    assert_eq!(bench.service.begun(&tenant(1)), 2);
}

#[tokio::test(start_paused = true)]
async fn debug_shows_no_ticket_and_no_token() {
    let bench = Bench::new();
    let cache = bench.cache();
    cache.ticket(&tenant(1)).await.unwrap();
    let shown = format!("{cache:?} {:?} {:?}", bench.builder(), cache.statistics());
    assert!(!shown.contains("7T:") && !shown.contains("App-1"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_ended_before_it_arrived_is_not_returned() {
    let bench = Bench::new();
    let cache = bench.cache();
    bench.service.set_latency(&tenant(1), LIFETIME + MINUTE);
    let waiter = tokio::spawn({
        let cache = cache.clone();
        async move { cache.ticket(&tenant(1)).await }
    });
    settle().await;
    bench.service.set_latency(&tenant(1), Duration::ZERO);
    let ticket = waiter.await.unwrap().unwrap();
    assert!(ticket.expires_at() > bench.clock.now());
    assert_eq!(bench.service.begun(&tenant(1)), 2);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_by_less_than_a_tickets_age_does_not_keep_it_alive_either() {
    let bench = Bench::new();
    let cache = bench.cache();
    let first = cache.ticket(&tenant(1)).await.unwrap();
    advance(LIFETIME * 5 / 6).await;
    bench.clock.shift(SignedDuration::from_hours(-3));
    advance(LIFETIME / 6).await;
    assert!(!cache.ticket(&tenant(1)).await.unwrap().is_same_as(&first), "its lifetime is over");
}
