//! What the trait promises, of every store alike.

use std::sync::Arc;
use std::time::Duration;

use soticket_core::jiff::SignedDuration;
use soticket_core::store::{Fence, MemoryStore, Renewed, Saved, TicketStore};

use crate::support::{file_store, from_now, record, seen, ticket_key};

/// The folder or the server of a store, which goes with it.
pub(crate) type Keeper = Box<dyn std::any::Any + Send + Sync>;

type Opened = (Arc<dyn TicketStore>, Keeper);

fn in_memory() -> Opened {
    (Arc::new(MemoryStore::new()), Box::new(()))
}

fn in_files() -> Opened {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(file_store(folder.path())), Box::new(folder))
}

#[cfg(feature = "redis")]
fn in_redis() -> Opened {
    let server = crate::redis_server::RedisServer::start();
    (Arc::new(server.store()), Box::new(server))
}

/// Each promise, of each store.
macro_rules! promises {
    ($($store:ident),*: $promises:tt) => { $(promises!(@ $store $promises);)* };
    (@ $store:ident [$($promise:ident),* $(,)?]) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $promise() {
                    let (store, _keeper) = super::$store();
                    super::$promise(&*store).await;
                }
            )*
        }
    };
}

/// Hands all of them on.
macro_rules! all_promises {
    ($($store:ident),*) => { promises!($($store),*: [
    nothing_is_kept_at_first,
    what_is_saved_is_loaded_as_it_was,
    keys_do_not_mix,
    the_same_fence_overwrites,
    a_lower_fence_is_outrun,
    any_contents_and_any_fence_are_kept,
    only_the_very_fence_is_removed,
    one_lease_at_a_time_for_each_key,
    a_released_lease_can_be_taken_again_at_once,
    fences_rise_with_each_lease_and_above_what_is_kept,
    a_lease_in_use_goes_on,
    many_at_once_never_share_a_lease,
    the_highest_of_many_fences_stays,
]); };
}

all_promises!(in_memory, in_files);
#[cfg(feature = "redis")]
all_promises!(in_redis);

async fn nothing_is_kept_at_first(store: &dyn TicketStore) {
    assert!(store.load(&ticket_key(1)).await.unwrap().is_none());
    store.remove(&ticket_key(1), Fence(1)).await.unwrap();
}

async fn what_is_saved_is_loaded_as_it_was(store: &dyn TicketStore) {
    let saved = record(7, "a ticket");
    assert_eq!(store.save(&ticket_key(1), &saved).await.unwrap(), Saved::Kept);
    let loaded = store.load(&ticket_key(1)).await.unwrap().unwrap();
    assert_eq!((loaded.contents, loaded.fence, loaded.ends), (saved.contents, saved.fence, saved.ends));
}

async fn keys_do_not_mix(store: &dyn TicketStore) {
    for number in 0..20 {
        store.save(&ticket_key(number), &record(1, &number.to_string())).await.unwrap();
    }
    store.remove(&ticket_key(3), Fence(1)).await.unwrap();
    for number in 0..20 {
        let expected = (number != 3).then(|| (1, number.to_string()));
        assert_eq!(seen(store.load(&ticket_key(number)).await.unwrap()), expected);
    }
}

async fn the_same_fence_overwrites(store: &dyn TicketStore) {
    let key = ticket_key(1);
    store.save(&key, &record(7, "first")).await.unwrap();
    assert_eq!(store.save(&key, &record(7, "touched")).await.unwrap(), Saved::Kept);
    assert_eq!(seen(store.load(&key).await.unwrap()), Some((7, "touched".to_owned())));
}

async fn a_lower_fence_is_outrun(store: &dyn TicketStore) {
    let key = ticket_key(1);
    // Fences that order otherwise as texts or as floating-point numbers.
    for (higher, lower) in [(10, 9), ((1 << 53) + 1, 1 << 53), (u64::MAX, u64::MAX - 1), (256, 255)] {
        store.save(&key, &record(higher, "winner")).await.unwrap();
        assert_eq!(store.save(&key, &record(lower, "sleeper")).await.unwrap(), Saved::Outrun, "{lower}");
        assert_eq!(seen(store.load(&key).await.unwrap()), Some((higher, "winner".to_owned())));
        store.remove(&key, Fence(higher)).await.unwrap();
    }
}

async fn any_contents_and_any_fence_are_kept(store: &dyn TicketStore) {
    for (number, length) in (0..).zip([0, 1, 15, 16, 17, 4_096, 60_000]) {
        let contents: Vec<u8> = (0..length).map(|at: u32| at.to_be_bytes()[3]).collect();
        let mut saved = record(u64::from(number) << 61, "");
        saved.contents = contents.clone().into();
        store.save(&ticket_key(number), &saved).await.unwrap();
        let loaded = store.load(&ticket_key(number)).await.unwrap().unwrap();
        assert_eq!((loaded.contents.to_vec(), loaded.fence), (contents, saved.fence), "{length} bytes");
    }
}

async fn only_the_very_fence_is_removed(store: &dyn TicketStore) {
    let key = ticket_key(1);
    store.save(&key, &record(7, "kept")).await.unwrap();
    for other in [6, 8, 0, u64::MAX] {
        store.remove(&key, Fence(other)).await.unwrap();
        assert!(store.load(&key).await.unwrap().is_some(), "{other}");
    }
    store.remove(&key, Fence(7)).await.unwrap();
    assert!(store.load(&key).await.unwrap().is_none());
    assert_eq!(store.save(&key, &record(1, "anew")).await.unwrap(), Saved::Kept);
}

async fn one_lease_at_a_time_for_each_key(store: &dyn TicketStore) {
    let _one = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    assert!(store.lease(&ticket_key(1)).await.unwrap().is_none());
    assert!(store.lease(&ticket_key(2)).await.unwrap().is_some());
    // Whoever touches a ticket has no lease.
    assert_eq!(store.save(&ticket_key(1), &record(1, "touched")).await.unwrap(), Saved::Kept);
}

async fn a_released_lease_can_be_taken_again_at_once(store: &dyn TicketStore) {
    for _ in 0..20 {
        store.lease(&ticket_key(1)).await.unwrap().unwrap().release().await.unwrap();
    }
}

async fn fences_rise_with_each_lease_and_above_what_is_kept(store: &dyn TicketStore) {
    let key = ticket_key(1);
    let mut last = Fence(0);
    for _ in 0..20 {
        let lease = store.lease(&key).await.unwrap().unwrap();
        assert!(lease.fence() > last);
        last = lease.fence();
        assert_eq!(store.save(&key, &record(last.0, "a ticket")).await.unwrap(), Saved::Kept);
        lease.release().await.unwrap();
    }
    assert!(i128::from(last.0) <= i128::from(from_now(SignedDuration::from_secs(5)).as_microsecond()));
}

async fn a_lease_in_use_goes_on(store: &dyn TicketStore) {
    let lease = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    for _ in 0..5 {
        assert_eq!(lease.renew().await.unwrap(), Renewed::Held);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(store.lease(&ticket_key(1)).await.unwrap().is_none());
    }
}

async fn many_at_once_never_share_a_lease(store: &dyn TicketStore) {
    let key = ticket_key(1);
    let holders = std::sync::atomic::AtomicUsize::new(0);
    let fences = std::sync::Mutex::new(Vec::new());
    let contend = async || {
        for _ in 0..40 {
            if let Some(lease) = store.lease(&key).await.unwrap() {
                assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                fences.lock().unwrap().push(lease.fence());
                tokio::task::yield_now().await;
                holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                lease.release().await.unwrap();
            }
        }
    };
    tokio::join!(contend(), contend(), contend(), contend());
    assert!(fences.lock().unwrap().is_sorted_by(|one, next| one < next));
}

async fn the_highest_of_many_fences_stays(store: &dyn TicketStore) {
    let key = ticket_key(1);
    let save = async |from: u64| {
        for fence in (from..200).step_by(4) {
            store.save(&key, &record(fence, &fence.to_string())).await.unwrap();
        }
    };
    tokio::join!(save(0), save(1), save(2), save(3));
    assert_eq!(seen(store.load(&key).await.unwrap()), Some((199, "199".to_owned())));
}
