//! The service's signing key changes while a client runs.

use soticket::{ErrorKind, TrustRule};
use soticket_emulator::KeyRotation;

use crate::support::{Service, tenant};

/// How often the key set was fetched.
fn fetches(service: &Service) -> usize {
    service.emulator.log().iter().filter(|entry| entry.path.to_lowercase().ends_with("/jwks")).count()
}

#[tokio::test]
async fn one_fetch_serves_many_exchanges_at_once() {
    let service = Service::start().await;
    let client = service.client();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            tokio::spawn({
                let client = client.clone();
                async move { client.ticket(&tenant()).await.is_ok() }
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(fetches(&service), 1);
    assert_eq!(service.emulator.exchanges(), 16);
}

#[tokio::test]
async fn a_new_key_is_not_trusted_before_the_key_set_may_be_fetched_again() {
    for rotation in [KeyRotation::OldKeyKept, KeyRotation::OldKeyDropped] {
        let service = Service::start().await;
        let client = service.client();
        let before = client.jwt(&tenant()).await.unwrap();
        assert!(client.ticket(&tenant()).await.is_ok());
        service.emulator.rotate_key(rotation).await.unwrap();

        let error = client.ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdKnown));
        assert_eq!(fetches(&service), 1, "the key set is too fresh to be fetched again");
        // What the old key signed is good for as long as the client has the old set.
        assert!(client.validate(&before, &tenant()).await.is_ok());
    }
}

#[tokio::test]
async fn a_client_that_starts_after_a_rotation_trusts_what_the_service_still_serves() {
    let service = Service::start().await;
    let old = service.client().jwt(&tenant()).await.unwrap();
    service.emulator.rotate_key(KeyRotation::OldKeyKept).await.unwrap();
    let client = service.client();
    assert!(client.ticket(&tenant()).await.is_ok());
    assert!(client.validate(&old, &tenant()).await.is_ok(), "the old key is still served");

    service.emulator.rotate_key(KeyRotation::OldKeyDropped).await.unwrap();
    let client = service.client();
    assert!(client.ticket(&tenant()).await.is_ok());
    let error = client.validate(&old, &tenant()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdKnown), "the old key is gone");
}
