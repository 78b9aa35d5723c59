//! When the JWKS is fetched, by whom, how often, and what is used when it cannot be.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::{advance, sleep};

use super::*;
use crate::jwt::key_set::KeyReference;

/// Serves the key sets of a script, one a fetch, and the last one for ever.
#[derive(Debug, Clone)]
struct Scripted {
    answers: Arc<[Option<&'static str>]>,
    fetches: Arc<AtomicUsize>,
}

const FETCH_TIME: Duration = Duration::from_secs(1);

#[async_trait]
impl FetchKeys for Scripted {
    async fn fetch(&self) -> Result<KeySet, Error> {
        let number = self.fetches.fetch_add(1, Ordering::SeqCst);
        sleep(FETCH_TIME).await;
        match self.answers[number.min(self.answers.len() - 1)] {
            Some(kids) => Ok(key_set(kids)),
            None => Err(Error::new(ErrorKind::Transport, "down")),
        }
    }
}

/// A cache over a script: each answer names the `kid`s of a key set, or is a failure.
fn cache(answers: &[Option<&'static str>]) -> (Arc<JwksCache>, Arc<AtomicUsize>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let source = Scripted { answers: answers.into(), fetches: Arc::clone(&fetches) };
    (Arc::new(JwksCache::new(source)), fetches)
}

fn key_set(kids: &str) -> KeySet {
    let modulus = "A".repeat(342).replacen('A', "p", 1);
    let keys: Vec<_> = kids
        .split(' ')
        .map(|kid| serde_json::json!({"kty": "RSA", "kid": kid, "n": modulus, "e": "AQAB"}))
        .collect();
    KeySet::from_json(serde_json::json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn kid(kid: &str) -> KeyReference {
    KeyReference { kid: Some(kid.into()), x5t: None }
}

fn count(fetches: &AtomicUsize) -> usize {
    fetches.load(Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn a_known_key_is_fetched_once() {
    let (cache, fetches) = cache(&[Some("a b")]);
    for name in ["a", "b", "a"] {
        assert!(cache.key(&kid(name)).await.is_ok());
    }
    assert_eq!(count(&fetches), 1);
}

#[tokio::test(start_paused = true)]
async fn however_many_wait_one_fetch_serves_all() {
    let (cache, fetches) = cache(&[Some("a")]);
    let waiters: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn({
                let cache = Arc::clone(&cache);
                async move { cache.key(&kid("a")).await.is_ok() }
            })
        })
        .collect();
    for waiter in waiters {
        assert!(waiter.await.unwrap());
    }
    assert_eq!(count(&fetches), 1);
}

#[tokio::test(start_paused = true)]
async fn however_many_wait_one_failure_serves_all() {
    let (cache, fetches) = cache(&[None]);
    let waiters: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn({
                let cache = Arc::clone(&cache);
                async move { cache.key(&kid("a")).await.is_err() }
            })
        })
        .collect();
    for waiter in waiters {
        assert!(waiter.await.unwrap());
    }
    assert_eq!(count(&fetches), 1);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gives_up_takes_nothing_from_the_others() {
    let (cache, fetches) = cache(&[Some("a")]);
    let first = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { cache.key(&kid("a")).await.is_ok() }
    });
    tokio::task::yield_now().await;
    let second = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { cache.key(&kid("a")).await.is_ok() }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert!(second.await.unwrap());
    assert_eq!(count(&fetches), 2, "the one that was given up, and the one that counted");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kid_fetches_again_but_not_more_often_than_the_interval() {
    let (cache, fetches) = cache(&[Some("a"), Some("a b")]);
    assert!(cache.key(&kid("a")).await.is_ok());
    let error = cache.key(&kid("b")).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdKnown));
    assert_eq!(count(&fetches), 1, "the set is too fresh to be fetched again");

    advance(MIN_REFETCH_INTERVAL).await;
    assert!(cache.key(&kid("b")).await.is_ok(), "the rotated key is found");
    assert_eq!(count(&fetches), 2);
    for _ in 0..100 {
        assert!(cache.key(&kid("nonsense")).await.is_err());
    }
    assert_eq!(count(&fetches), 2);
}

#[tokio::test(start_paused = true)]
async fn an_old_set_is_fetched_again_and_a_dropped_key_is_gone() {
    let (cache, fetches) = cache(&[Some("a"), Some("b")]);
    assert!(cache.key(&kid("a")).await.is_ok());
    advance(MAX_AGE).await;
    assert!(cache.key(&kid("a")).await.is_err());
    assert_eq!(count(&fetches), 2);
}

#[tokio::test(start_paused = true)]
async fn a_set_stays_in_use_when_it_cannot_be_fetched_again() {
    let (cache, fetches) = cache(&[Some("a"), None]);
    assert!(cache.key(&kid("a")).await.is_ok());
    advance(MAX_AGE).await;
    assert!(cache.key(&kid("a")).await.is_ok());
    assert_eq!(count(&fetches), 2);
    let error = cache.key(&kid("b")).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdKnown));
    assert!(std::error::Error::source(&error).is_some(), "why the newest set is not known is linked");
}

#[tokio::test(start_paused = true)]
async fn a_first_fetch_that_fails_is_tried_again_by_the_next_caller() {
    let (cache, fetches) = cache(&[None, Some("a")]);
    assert_eq!(cache.key(&kid("a")).await.unwrap_err().kind(), &ErrorKind::Transport);
    assert!(cache.key(&kid("a")).await.is_ok());
    assert_eq!(count(&fetches), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_names_no_key_fetches_nothing() {
    let (cache, fetches) = cache(&[Some("a")]);
    let error = cache.key(&KeyReference::default()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdPresent));
    assert_eq!(count(&fetches), 0);
}

#[test]
fn a_jwks_of_another_host_is_not_the_environments() {
    let environment: Environment = "https://localhost:8443".parse().unwrap();
    let uri =
        |uri: &str| jwks_uri(serde_json::json!({ "jwks_uri": uri }).to_string().as_bytes(), &environment);
    assert!(uri("https://localhost:8443/login/.well-known/jwks").is_ok());
    for other in
        ["https://example.com/jwks", "https://localhost:8444/jwks", "http://localhost:8443/jwks", "jwks", ""]
    {
        assert_eq!(uri(other).unwrap_err().kind(), &ErrorKind::Untrusted(TrustRule::KeySet), "{other}");
    }
    assert_eq!(jwks_uri(b"<html>", &environment).unwrap_err().kind(), &ErrorKind::Protocol);
}
