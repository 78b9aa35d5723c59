//! One process of a fleet: asks a cache over Redis for the tickets of all tenants, and says what it got.
//!
//! `fleet-member once|until-told FOLDER URL REDIS TENANTS LIFETIME`, the lifetime of a ticket in seconds. With `once`
//! each tenant is asked for once; with `until-told` again and again, until standard input ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a part of a test, which stops at the first surprise"
)]

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use soticket::store::{RedisStore, RedisStoreOptions, StoreKey};
use soticket::{Clock as _, ExchangeLimits, SystemClock, SystemUserTicket, Tenant, TicketCache};
use soticket_tests::{LoginService, client_builder};
use tokio::task::JoinSet;

/// How long a lease lasts: short, so that a test need not wait long for its end.
const LEASE_LENGTH: Duration = Duration::from_secs(2);
/// How many callers ask at once.
const CALLERS: usize = 64;
/// Every so manyth ticket is shown to the API.
const SHOWN: u64 = 50;
const STORE_KEY: &str = "9f8b1c0de2a4567788990011223344556677889900aabbccddeeff0011223344";

/// What was got.
#[derive(Default)]
struct Tally {
    tickets: AtomicU64,
    failures: AtomicU64,
    /// Tickets that had ended by our clock when they were handed out.
    ended: AtomicU64,
    /// Tickets that the API did not take.
    refused: AtomicU64,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, folder, url, redis, tenants, lifetime] = &arguments[..] else { panic!("{arguments:?}") };
    let lifetime = Duration::from_secs(lifetime.parse().unwrap());
    let client = client_builder(Path::new(folder), url).with_ticket_lifetime(lifetime).build().unwrap();
    let key: StoreKey = STORE_KEY.parse().unwrap();
    let options = RedisStoreOptions::new().with_lease_length(LEASE_LENGTH);
    let cache = TicketCache::builder(client)
        .with_store(RedisStore::with_options(redis, key, options).unwrap())
        .with_limits(ExchangeLimits::new().with_per_second(0))
        .build();
    let tenants: Arc<Vec<Tenant>> = Arc::new(LoginService::many_tenants(tenants.parse().unwrap()).collect());
    let told = Arc::new(AtomicBool::new(mode == "once"));
    if mode == "until-told" {
        let told = Arc::clone(&told);
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            told.store(true, Ordering::Relaxed);
        });
    }
    let tally = Arc::new(Tally::default());
    loop {
        ask_for_all(&cache, &tenants, &tally).await;
        if told.load(Ordering::Relaxed) {
            break;
        }
    }
    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{}",
        serde_json::json!({
            "tickets": get(&tally.tickets),
            "failures": get(&tally.failures),
            "ended": get(&tally.ended),
            "refused": get(&tally.refused),
        })
    );
}

/// Each caller begins elsewhere, so that the members meet.
async fn ask_for_all(cache: &TicketCache, tenants: &Arc<Vec<Tenant>>, tally: &Arc<Tally>) {
    let start = std::process::id() as usize * 7919;
    let next = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (cache, tenants, tally, next) =
            (cache.clone(), Arc::clone(tenants), Arc::clone(tally), Arc::clone(&next));
        callers.spawn(async move {
            loop {
                let turn = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                if turn >= tenants.len() {
                    break;
                }
                ask(&cache, &tenants[(start + turn) % tenants.len()], &tally).await;
            }
        });
    }
    callers.join_all().await;
}

async fn ask(cache: &TicketCache, tenant: &Tenant, tally: &Tally) {
    // A member that is suspended afterwards does not blame the cache for that.
    let asked = SystemClock.now();
    let Ok(ticket) = cache.ticket(tenant).await else {
        tally.failures.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let number = tally.tickets.fetch_add(1, Ordering::Relaxed);
    if ticket.expires_at() <= asked {
        tally.ended.fetch_add(1, Ordering::Relaxed);
    }
    let handed_out = SystemClock.now();
    if number.is_multiple_of(SHOWN) && !is_taken(&ticket).await {
        let was_quick = SystemClock.now().duration_since(handed_out).unsigned_abs() < ticket.lifetime() / 16;
        tally.refused.fetch_add(u64::from(was_quick), Ordering::Relaxed);
    }
}

/// Whether the tenant's API takes the ticket; one that cannot be asked says nothing.
async fn is_taken(ticket: &SystemUserTicket) -> bool {
    let url = ticket.claims().webapi_url().unwrap().join("v1/User/currentPrincipal").unwrap();
    let client = soticket::reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).headers(ticket.headers()).send().await;
    answer.is_ok_and(|answer| answer.status().as_u16() != 401)
}
