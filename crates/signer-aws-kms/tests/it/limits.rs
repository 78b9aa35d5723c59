//! How long a call may take, and how many there may be at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use soticket_core::SignerErrorKind;
use soticket_signer_aws_kms::aws_sdk_kms::Client;
use soticket_signer_aws_kms::aws_sdk_kms::config::timeout::TimeoutConfig;
use soticket_signer_aws_kms::{ATTEMPT_TIMEOUT, AwsKmsSigner, MAX_ATTEMPTS, OPERATION_TIMEOUT};
use soticket_signer_conformance::TestKey;
use tokio::time::Instant;

use crate::fault_server::{Answer, FaultServer};
use crate::support::{client, named, settings, sign, signer, whole};

/// The SDK would wait for ever.
#[tokio::test]
async fn a_service_that_never_answers_is_given_up_in_the_stated_time() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let signer = signer(&client(&server.url), "alias/partner").await.unwrap();
    server.answer("Sign", std::iter::repeat_n(Answer::Hang, 9));
    let (start, before) = (Instant::now(), server.count("Sign"));
    let error = sign(&signer).await.unwrap_err();
    assert_eq!(server.count("Sign") - before, MAX_ATTEMPTS as usize);
    let time = start.elapsed();
    assert_eq!(error.kind(), SignerErrorKind::Transport, "{}", whole(&error));
    assert!(time >= ATTEMPT_TIMEOUT && time < OPERATION_TIMEOUT + Duration::from_secs(2), "{time:?}");
    server.answer("Sign", []);
    sign(&signer).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_sets_its_own_time_limits_keeps_them() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let limits = TimeoutConfig::builder().operation_timeout(Duration::from_secs(1)).build();
    let client = Client::from_conf(settings(&server.url, "test", "test").timeout_config(limits).build());
    let signer = signer(&client, "alias/partner").await.unwrap();
    server.answer("Sign", std::iter::repeat_n(Answer::Hang, 9));
    let start = Instant::now();
    assert_eq!(sign(&signer).await.unwrap_err().kind(), SignerErrorKind::Transport);
    assert!(start.elapsed() < ATTEMPT_TIMEOUT, "{:?}", start.elapsed());
}

async fn limited(server: &FaultServer, concurrency: usize, timeout: Duration) -> Arc<AwsKmsSigner> {
    let builder = AwsKmsSigner::builder(client(&server.url), named("alias/partner"));
    let builder =
        builder.with_concurrency(NonZeroUsize::new(concurrency).unwrap()).with_queue_timeout(timeout);
    Arc::new(builder.build().await.unwrap())
}

#[tokio::test]
async fn a_burst_stays_under_the_limit() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let signer = limited(&server, 3, Duration::from_secs(30)).await;
    server.answer("Sign", std::iter::repeat_n(Answer::After(Duration::from_millis(20)), 30));
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let signer = Arc::clone(&signer);
            tokio::spawn(async move { sign(&signer).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(server.most_at_once(), 3);
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_told_and_who_gives_up_takes_none_away() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let signer = limited(&server, 1, Duration::from_millis(200)).await;
    server.answer("Sign", [Answer::Hang]);
    let own = Arc::clone(&signer);
    let first = tokio::spawn(async move { sign(&own).await.map(drop) });
    while server.count("Sign") < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let error = sign(&signer).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Transport);
    assert!(error.to_string().contains("turn"), "{error}");
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    sign(&signer).await.unwrap();
}
