//! A Redis that is away, comes back, or does not answer: told within about a second, and found again by itself.

use std::time::Duration;

use soticket_core::store::{Saved, StoreErrorKind, TicketStore as _};
use soticket_store::RedisStore;
use tokio::time::Instant;

use crate::redis_server::{RedisServer, free_port};
use crate::support::{record, seen, store_key, ticket_key, with_causes};

/// Every call fails for whoever runs the Redis, and none takes long.
async fn is_away(store: &RedisStore, server: &str) {
    let start = Instant::now();
    let key = ticket_key(1);
    let (load, save, remove, lease) = tokio::join!(
        store.load(&key),
        async { store.save(&key, &record(1, "")).await },
        async { store.remove(&key, record(1, "").fence).await },
        store.lease(&key)
    );
    let errors = [load.unwrap_err(), save.unwrap_err(), remove.unwrap_err(), lease.unwrap_err()];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains(server), "{}", with_causes(&error));
    }
    assert!(start.elapsed() < Duration::from_millis(1_900), "{:?}", start.elapsed());
}

#[tokio::test]
async fn nobody_on_the_port_is_told_at_once() {
    let port = free_port();
    let store = RedisStore::new(&format!("redis://127.0.0.1:{port}"), store_key()).unwrap();
    is_away(&store, &format!("127.0.0.1:{port}")).await;
}

#[tokio::test]
async fn a_redis_is_found_again_after_it_was_killed() {
    let mut server = RedisServer::start();
    let (store, place) = (server.store(), format!("127.0.0.1:{}", server.port()));
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    let lease = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    for _ in 0..3 {
        server.kill();
        is_away(&store, &place).await;
        is_away(&store, &place).await;
        server.restart();
        // It was empty, and the first call finds it.
        assert!(store.load(&ticket_key(1)).await.unwrap().is_none());
        assert_eq!(store.save(&ticket_key(1), &record(8, "a ticket")).await.unwrap(), Saved::Kept);
    }
    assert!(store.lease(&ticket_key(1)).await.unwrap().unwrap().fence() > lease.fence());
}

#[tokio::test]
async fn a_restart_between_two_calls_is_not_noticed() {
    let mut server = RedisServer::start();
    let store = server.store();
    for fence in 1..5 {
        assert_eq!(store.save(&ticket_key(1), &record(fence, "a ticket")).await.unwrap(), Saved::Kept);
        server.kill();
        server.restart();
    }
}

#[tokio::test]
async fn a_redis_that_does_not_answer_is_not_waited_for() {
    let server = RedisServer::start();
    let (store, place) = (server.store(), format!("127.0.0.1:{}", server.port()));
    store.save(&ticket_key(2), &record(7, "a ticket")).await.unwrap();
    server.signal("STOP");
    is_away(&store, &place).await;
    is_away(&server.store(), &place).await;
    server.signal("CONT");
    assert_eq!(seen(store.load(&ticket_key(2)).await.unwrap()), Some((7, "a ticket".to_owned())));
}
