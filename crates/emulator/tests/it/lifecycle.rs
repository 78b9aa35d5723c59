//! Starting, stopping, and what is written where.

use serde_json::Value;
use soticket_emulator::{Config, Emulator, KeyRotation, Reach, StartError, Tls};

use crate::support::bench;

#[tokio::test]
async fn over_tls_the_written_authority_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::sample(folder.path().join("key.xml")).unwrap();
    let tls = Tls::ThrowAwayIn(folder.path().join("tls"));
    let emulator = Emulator::builder().with_config(config).with_tls(tls).start().await.unwrap();
    let ca =
        reqwest::Certificate::from_pem(&std::fs::read(folder.path().join("tls/ca.pem")).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    let url = format!("{}/Login/.well-known/openid-configuration", emulator.url());
    let document: Value = client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["jwks_uri"], format!("{}/login/.well-known/jwks", emulator.url()));
}

#[tokio::test]
async fn the_certificate_file_follows_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::ThrowAwayIn(folder.path().into());
    let emulator = Emulator::builder().with_tls(tls).start().await.unwrap();
    let read = || std::fs::read_to_string(folder.path().join("federated-login.pem")).unwrap();
    assert_eq!(read(), emulator.federated_login_certificate_pem());
    let before = read();
    emulator.rotate_key(KeyRotation::OldKeyDropped).await.unwrap();
    assert_eq!(read(), emulator.federated_login_certificate_pem());
    assert_ne!(read(), before);
}

#[tokio::test]
async fn dropping_the_handle_stops_everything() {
    let bench = bench().await;
    let addr = bench.emulator.addr();
    let moved = bench.emulator.move_tenant("Cust12345").await.unwrap();
    let mut open = tokio::net::TcpStream::connect(addr).await.unwrap();
    drop(bench);
    // The end of an open connection shows that its task has gone.
    let mut end = [0];
    let read = tokio::io::AsyncReadExt::read(&mut open, &mut end).await;
    assert!(matches!(read, Ok(0) | Err(_)));
    while tokio::net::TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    while tokio::net::TcpStream::connect(moved).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn another_address_than_loopback_has_to_be_asked_for() {
    let anywhere = "0.0.0.0:0".parse().unwrap();
    let refused = Emulator::builder().with_listen(anywhere).start().await.unwrap_err();
    assert!(matches!(refused, StartError::NotLoopback(_)), "{refused}");
    assert!(Emulator::builder().with_listen(anywhere).with_reach(Reach::Network).start().await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn the_sample_key_is_its_owners_alone_and_is_used_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = bench().await;
    let path = bench.folder.path().join("key.xml");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    Config::sample(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, "no key").unwrap();
    assert!(Config::sample(&path).is_err(), "a file that is something else is not overwritten");
    assert_eq!(std::fs::read(&path).unwrap(), b"no key");
}
