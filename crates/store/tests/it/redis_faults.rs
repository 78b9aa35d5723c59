//! What a Redis holds that is damaged or foreign, what it may see, and whom it lets in.

use redis::Commands as _;
use soticket_core::jiff::SignedDuration;
use soticket_core::store::{Fence, Record, Saved, StoreErrorKind, TicketStore as _};
use soticket_store::{MAX_RECORD_SIZE, RedisStore, RedisStoreOptions};

use crate::redis_server::RedisServer;
use crate::support::{from_now, other_store_key, record, seen, store_key, ticket_key, with_causes};

/// Loading is refused for a cause that has `word`; then the record is overwritten, with a fence however low.
async fn is_refused_and_overwritten(store: &RedisStore, word: &str) {
    let key = ticket_key(1);
    let error = store.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreadable, "{error}");
    assert!(error.to_string().contains(word) && error.to_string().contains(&key.to_string()), "{error}");
    assert_eq!(store.save(&key, &record(0, "anew")).await.unwrap(), Saved::Kept, "{word}");
    assert_eq!(seen(store.load(&key).await.unwrap()), Some((0, "anew".to_owned())));
}

#[tokio::test]
async fn what_is_damaged_or_foreign_is_refused_and_overwritten() {
    let server = RedisServer::start();
    let (store, mut redis) = (server.store(), server.connect());
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    let name = server.only_key("ticket");
    let whole: Vec<u8> = redis.get(&name).unwrap();
    let mut forged = whole.clone();
    forged[13..21].fill(0xff);
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (contents, word) in [
        (b"a shopping list".to_vec(), "not a record of soticket"),
        (whole[..30].to_vec(), "damaged"),
        (flipped, "damaged"),
        (forged.clone(), "damaged"),
        (forged[..29].to_vec(), "damaged"),
        ([forged, vec![0; MAX_RECORD_SIZE]].concat(), "65536 bytes"),
    ] {
        let () = redis.set(&name, contents).unwrap();
        is_refused_and_overwritten(&store, word).await;
    }
    let () = redis.del(&name).unwrap();
    let () = redis.rpush(&name, "a list").unwrap();
    store.remove(&ticket_key(1), Fence(1)).await.unwrap();
    is_refused_and_overwritten(&store, "not a record of soticket").await;
}

#[tokio::test]
async fn another_tenant_s_record_and_another_key_s_are_refused() {
    let server = RedisServer::start();
    let store = server.store();
    store.save(&ticket_key(2), &record(u64::MAX, "another tenant's")).await.unwrap();
    let there: Vec<u8> = server.connect().get(server.only_key("ticket")).unwrap();
    store.save(&ticket_key(1), &record(1, "mine")).await.unwrap();
    let () = server.connect().set(format!("soticket:{{{}}}:ticket", ticket_key(1)), there).unwrap();
    is_refused_and_overwritten(&store, "damaged").await;
    let other = RedisStore::new(&server.url(), other_store_key()).unwrap();
    other.save(&ticket_key(1), &record(u64::MAX, "under another key")).await.unwrap();
    is_refused_and_overwritten(&store, "with another key").await;
}

#[tokio::test]
async fn a_foreign_lease_or_fence_is_in_nobody_s_way() {
    let server = RedisServer::start();
    let (store, mut redis) = (server.store(), server.connect());
    let first = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    for ending in ["lease", "fence"] {
        let name = server.only_key(ending);
        let () = redis.del(&name).unwrap();
        let () = redis.rpush(&name, "a list").unwrap();
    }
    let second = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    assert!(second.fence() > first.fence());
    second.release().await.unwrap();
    let () = redis.set(server.only_key("fence"), "soon").unwrap();
    assert!(store.lease(&ticket_key(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn redis_sees_no_secret_and_forgets_what_has_ended() {
    let server = RedisServer::start();
    let (store, mut redis) = (server.store(), server.connect());
    let ends = from_now(SignedDuration::from_mins(10));
    store.save(&ticket_key(1), &Record { ends, ..record(7, "hunter2 hunter2") }).await.unwrap();
    let _lease = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    let names: Vec<String> = redis.keys("*").unwrap();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names {
        let value: Vec<u8> = redis.get(&name).unwrap();
        for secret in ["hunter2", "Cust1", "App-Token", "client-secret"] {
            let secret = secret.as_bytes();
            assert!(!value.windows(secret.len()).any(|window| window == secret), "{name}");
        }
        assert!(name.starts_with("soticket:{") && !name.contains("Cust1"), "{name}");
        let expires: i64 = redis.pttl(&name).unwrap();
        assert!(expires > 0, "{name} stays for ever");
        if name.ends_with(":ticket") {
            let beyond = expires - 600_000;
            assert!((3_590_000..=3_600_000).contains(&beyond), "{beyond} ms beyond its end");
        }
    }
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_told_again() {
    let server = RedisServer::start();
    let store = server.store();
    for fence in 1..4 {
        assert_eq!(store.save(&ticket_key(1), &record(fence, "a ticket")).await.unwrap(), Saved::Kept);
        let () = redis::cmd("SCRIPT").arg("FLUSH").query(&mut server.connect()).unwrap();
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_shown_nowhere() {
    let server = RedisServer::start_with(|_, port| {
        ["--port", &port.to_string(), "--requirepass", "correct-horse"].map(str::to_owned).to_vec()
    });
    let store = |user: &str| {
        RedisStore::new(&format!("redis://{user}127.0.0.1:{}", server.port()), store_key()).unwrap()
    };
    for user in ["", ":hunter2@", "somebody:hunter2@"] {
        let store = store(user);
        let error = store.load(&ticket_key(1)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration, "{}", with_causes(&error));
        assert!(error.to_string().contains("password"));
        let shown = format!("{} {error:?} {store:?}", with_causes(&error));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    store(":correct-horse@").save(&ticket_key(1), &record(1, "a ticket")).await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_no_more_than_is_said_is_enough() {
    let server = RedisServer::start();
    let may =
        "~soticket:* +evalsha +script|load +type +get +getrange +set +incr +del +pexpire +pexpireat +time";
    let source = include_str!("../../src/redis.rs").replace("\n///", "");
    assert!(source.contains(may), "what is documented is what is tested");
    let set_user = |rules: &str| {
        let mut command = redis::cmd("ACL");
        command.arg("SETUSER").arg("cache").arg(&["reset", "on", ">pw"]);
        let () = command.arg(rules.split(' ').collect::<Vec<_>>()).query(&mut server.connect()).unwrap();
    };
    set_user(&format!("{may} +select"));
    let url = format!("redis://cache:pw@127.0.0.1:{}/2", server.port());
    let store = RedisStore::new(&url, store_key()).unwrap();
    let lease = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    lease.renew().await.unwrap();
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    assert_eq!(store.save(&ticket_key(1), &record(6, "late")).await.unwrap(), Saved::Outrun);
    assert_eq!(seen(store.load(&ticket_key(1)).await.unwrap()), Some((7, "a ticket".to_owned())));
    store.remove(&ticket_key(1), Fence(7)).await.unwrap();
    lease.release().await.unwrap();
    set_user("~soticket:* +select");
    let error = store.load(&ticket_key(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{}", with_causes(&error));
    // Inside of a script Redis tells a refusal in words alone.
    set_user("~soticket:* +evalsha +select");
    let error = store.load(&ticket_key(1)).await.unwrap_err();
    assert!(with_causes(&error).contains("can't run this command"), "{}", with_causes(&error));
}

#[tokio::test]
async fn a_redis_with_tls_is_trusted_by_its_certificate_alone() {
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = parameters.self_signed(&authority).unwrap();
    let issuer = rcgen::Issuer::new(parameters, authority);
    let server_key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&server_key, &issuer).unwrap();
    let server = RedisServer::start_with(|folder, port| {
        let file = |name: &str, pem: String| {
            std::fs::write(folder.join(name), pem).unwrap();
            folder.join(name).to_str().unwrap().to_owned()
        };
        let certificate = file("certificate.pem", certificate.pem());
        let key = file("key.pem", server_key.serialize_pem());
        let port = port.to_string();
        ["--port", "0", "--tls-port", &port, "--tls-cert-file", &certificate, "--tls-key-file", &key]
            .into_iter()
            .chain(["--tls-ca-cert-file", &certificate, "--tls-auth-clients", "no"])
            .map(str::to_owned)
            .collect()
    });
    let url = format!("rediss://127.0.0.1:{}", server.port());
    let trusting = RedisStoreOptions::new().with_root_certificates(root.pem());
    let trusting = RedisStore::with_options(&url, store_key(), trusting).unwrap();
    trusting.save(&ticket_key(1), &record(1, "a ticket")).await.unwrap();
    let error = RedisStore::new(&url, store_key()).unwrap().load(&ticket_key(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(with_causes(&error).to_lowercase().contains("certificate"), "{}", with_causes(&error));
}
