//! Leases in a Redis: they end by themselves, and whose they no longer are can do nothing with them.

use std::time::Duration;

use soticket_core::store::{Lease, Renewed, Saved, TicketStore as _};
use soticket_store::{RedisStore, RedisStoreOptions};
use tokio::time::{Instant, sleep};

use crate::redis_server::RedisServer;
use crate::support::{record, seen, ticket_key};

const SHORT: Duration = Duration::from_millis(150);

fn with_short_leases(server: &RedisServer) -> RedisStore {
    server.store_with(RedisStoreOptions::new().with_lease_length(SHORT))
}

/// The lease, as soon as it can be had, and how long that took.
async fn wait_for_lease(store: &RedisStore) -> (Box<dyn Lease>, Duration) {
    let start = Instant::now();
    loop {
        if let Some(lease) = store.lease(&ticket_key(1)).await.unwrap() {
            return (lease, start.elapsed());
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_lease_says_how_often_to_renew_it() {
    let server = RedisServer::start();
    let lease = server.store().lease(&ticket_key(1)).await.unwrap().unwrap();
    assert_eq!(lease.renewal_interval(), Some(RedisStoreOptions::LEASE_LENGTH / 3));
}

#[tokio::test]
async fn the_lease_of_a_dead_holder_ends_and_the_next_fence_is_higher() {
    let server = RedisServer::start();
    let store = with_short_leases(&server);
    let (dead, _) = wait_for_lease(&store).await;
    let fence = dead.fence();
    drop(dead);
    let (next, waited) = wait_for_lease(&store).await;
    assert!(next.fence() > fence);
    assert!(waited > SHORT / 2 && waited < SHORT * 20, "{waited:?}");
}

#[tokio::test]
async fn a_renewed_lease_goes_on() {
    let server = RedisServer::start();
    // Long enough for a machine that is busy otherwise.
    let length = Duration::from_millis(900);
    let store = server.store_with(RedisStoreOptions::new().with_lease_length(length));
    let (lease, _) = wait_for_lease(&store).await;
    let until = Instant::now() + 2 * length;
    while Instant::now() < until {
        sleep(lease.renewal_interval().unwrap()).await;
        assert_eq!(lease.renew().await.unwrap(), Renewed::Held);
        assert!(store.lease(&ticket_key(1)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_lost_lease_cannot_be_renewed_nor_used_against_its_next_holder() {
    let server = RedisServer::start();
    let sleeper_s = with_short_leases(&server);
    let (sleeper, _) = wait_for_lease(&sleeper_s).await;
    let (next, _) = wait_for_lease(&server.store()).await;
    assert_eq!(sleeper.renew().await.unwrap(), Renewed::Lost);
    let (late, winner) = (record(sleeper.fence().0, "late"), record(next.fence().0, "in time"));
    assert_eq!(server.store().save(&ticket_key(1), &winner).await.unwrap(), Saved::Kept);
    assert_eq!(sleeper_s.save(&ticket_key(1), &late).await.unwrap(), Saved::Outrun);
    sleeper_s.remove(&ticket_key(1), sleeper.fence()).await.unwrap();
    assert_eq!(
        seen(server.store().load(&ticket_key(1)).await.unwrap()),
        Some((next.fence().0, "in time".to_owned()))
    );
    sleeper.release().await.unwrap();
    assert!(
        server.store().lease(&ticket_key(1)).await.unwrap().is_none(),
        "the next holder's lease was given away"
    );
    assert_eq!(next.renew().await.unwrap(), Renewed::Held);
}

#[tokio::test]
async fn a_lease_that_redis_forgot_is_lost_and_the_next_fence_is_higher_still() {
    let server = RedisServer::start();
    let store = server.store();
    let (forgotten, _) = wait_for_lease(&store).await;
    let () = redis::cmd("FLUSHALL").query(&mut server.connect()).unwrap();
    assert_eq!(forgotten.renew().await.unwrap(), Renewed::Lost);
    let (next, _) = wait_for_lease(&store).await;
    assert!(next.fence() > forgotten.fence());
}
