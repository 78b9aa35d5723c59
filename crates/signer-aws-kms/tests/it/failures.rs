//! What the service, and what is between, can do wrong: each told by its kind, and tried again or not.

use std::time::Duration;

use serde_json::{Value, json};
use soticket_core::{SignerErrorKind as Kind, TokenSigner as _};
use soticket_signer_aws_kms::{AwsKmsSigner, MAX_ATTEMPTS, Verification};
use soticket_signer_conformance::TestKey;

use crate::fault_server::{ARN, Answer, FaultServer, OTHER_ARN, REQUEST_ID};
use crate::support::{MESSAGE, client, code, named, sign, signer, whole};

const TRIED: usize = MAX_ATTEMPTS as usize;

/// A signer that was opened in good times.
async fn opened() -> (FaultServer, AwsKmsSigner) {
    opened_with(TestKey::Rsa2048).await
}

async fn opened_with(key: TestKey) -> (FaultServer, AwsKmsSigner) {
    let server = FaultServer::start(key).await;
    let signer = signer(&client(&server.url), "alias/partner").await.unwrap();
    (server, signer)
}

/// The error of the next signature, and how often it was asked for.
async fn failed(
    server: &FaultServer,
    signer: &AwsKmsSigner,
    answer: Answer,
) -> (soticket_core::SignerError, usize) {
    server.answer("Sign", std::iter::repeat_n(answer, TRIED));
    let before = server.count("Sign");
    let error = sign(signer).await.unwrap_err();
    server.answer("Sign", []);
    (error, server.count("Sign") - before)
}

#[tokio::test]
async fn what_passes_by_is_tried_again_by_the_sdk_and_told_as_such() {
    for (status, name) in [
        (400, "ThrottlingException"),
        (500, "KMSInternalException"),
        (503, "DependencyTimeoutException"),
        (500, "KeyUnavailableException"),
    ] {
        let (server, signer) = opened().await;
        let (error, tried) = failed(&server, &signer, Answer::Code(status, name)).await;
        assert_eq!((error.kind(), code(&error), tried), (Kind::Transport, Some(name), TRIED));
        assert!(error.is_retryable());
        let status = format!("HTTP {status}");
        for part in [name, REQUEST_ID, "kms:Sign", "alias/partner", ARN, "eu-central-1", &status] {
            assert!(whole(&error).contains(part), "{part}: {}", whole(&error));
        }
        sign(&signer).await.unwrap();
    }
}

#[tokio::test]
async fn what_passes_by_once_is_not_noticed() {
    let (server, signer) = opened().await;
    for answer in [
        Answer::Code(400, "ThrottlingException"),
        Answer::Code(500, "KMSInternalException"),
        Answer::Page(503),
        Answer::Drop,
    ] {
        server.answer("Sign", [answer]);
        let signature = sign(&signer).await.unwrap();
        assert!(signer.key_info().public_key().verify(MESSAGE, &signature).is_ok());
    }
}

#[tokio::test]
async fn what_somebody_must_act_on_is_told_and_not_tried_again() {
    let (server, signer) = opened().await;
    for (name, kind) in [
        ("AccessDeniedException", Kind::Refused),
        ("NotFoundException", Kind::Key),
        ("DisabledException", Kind::Key),
        ("KMSInvalidStateException", Kind::Key),
        ("InvalidKeyUsageException", Kind::Key),
        ("InvalidGrantTokenException", Kind::Configuration),
        ("ExpiredTokenException", Kind::Configuration),
        ("UnrecognizedClientException", Kind::Configuration),
        ("InvalidSignatureException", Kind::Configuration),
        ("SomethingNewException", Kind::Refused),
    ] {
        let (error, tried) = failed(&server, &signer, Answer::Code(400, name)).await;
        assert_eq!((error.kind(), code(&error), tried), (kind, Some(name), 1));
        assert!(!error.is_retryable() && whole(&error).contains(REQUEST_ID));
    }
}

/// The SDK takes a quota for throttling.
#[tokio::test]
async fn a_quota_that_is_used_up_is_no_throttling() {
    let (server, signer) = opened().await;
    let (error, tried) = failed(&server, &signer, Answer::Code(400, "LimitExceededException")).await;
    assert_eq!((error.kind(), tried), (Kind::Refused, TRIED));
}

#[tokio::test]
async fn pages_of_a_proxy_are_told_and_not_shown() {
    let (server, signer) = opened().await;
    for (status, kind, times) in
        [(403, Kind::Protocol, 1), (200, Kind::Protocol, 1), (502, Kind::Transport, TRIED)]
    {
        let (error, tried) = failed(&server, &signer, Answer::Page(status)).await;
        assert_eq!((error.kind(), tried), (kind, times), "{status}: {}", whole(&error));
        assert!(!whole(&error).contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_a_connection_that_does_is_a_matter_of_the_network() {
    let (server, signer) = opened().await;
    for answer in [Answer::Truncated, Answer::Drop] {
        let (error, tried) = failed(&server, &signer, answer.clone()).await;
        assert_eq!((error.kind(), tried), (Kind::Transport, TRIED), "{answer:?}: {}", whole(&error));
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told() {
    let error = signer(&client("http://127.0.0.1:9"), "alias/partner").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Transport, "{}", whole(&error));
    assert!(error.to_string().contains("reach"), "{error}");
}

/// A key of another name, a signature by another key, one over something else: none leaves.
#[tokio::test]
async fn no_signature_by_another_key_leaves_the_signer() {
    let (server, signer) = opened().await;
    for answer in [
        Answer::With("KeyId", json!(OTHER_ARN)),
        Answer::With("KeyId", Value::Null),
        Answer::ByAnotherKey,
        Answer::HashedTwice,
    ] {
        let (error, tried) = failed(&server, &signer, answer.clone()).await;
        assert_eq!((error.kind(), tried), (Kind::Untrusted, 1), "{answer:?}: {}", whole(&error));
    }
    for answer in [
        Answer::With("SigningAlgorithm", json!("RSASSA_PSS_SHA_256")),
        Answer::With("Signature", Value::Null),
    ] {
        let (error, _) = failed(&server, &signer, answer.clone()).await;
        assert_eq!(error.kind(), Kind::Protocol, "{answer:?}: {}", whole(&error));
    }
    sign(&signer).await.unwrap();
}

/// The documented form, and nothing guessed by the first byte.
#[tokio::test]
async fn an_ecdsa_signature_comes_as_r_and_s_and_only_der_is_taken() {
    let (server, signer) = opened_with(TestKey::P256).await;
    assert_eq!(sign(&signer).await.unwrap().as_bytes().len(), 64);
    let raw = "MEUCIQ".repeat(11);
    for garbage in [json!(raw[..64].to_owned()), json!("AAAA"), json!("")] {
        let (error, _) = failed(&server, &signer, Answer::With("Signature", garbage)).await;
        assert_eq!(error.kind(), Kind::Protocol, "{}", whole(&error));
    }
}

#[tokio::test]
async fn a_key_that_is_not_what_the_service_calls_it_is_not_opened() {
    for (field, value, kind) in [
        ("KeySpec", json!("RSA_3072"), Kind::Protocol),
        ("KeySpec", Value::Null, Kind::Protocol),
        ("KeyUsage", json!("ENCRYPT_DECRYPT"), Kind::Key),
        ("SigningAlgorithms", json!(["RSASSA_PSS_SHA_256"]), Kind::Key),
        ("PublicKey", json!("AAAA"), Kind::Protocol),
        ("PublicKey", Value::Null, Kind::Protocol),
        ("KeyId", json!("1234abcd-12ab-34cd-56ef-1234567890ab"), Kind::Protocol),
        ("KeyId", json!(format!("{ARN}\u{1b}[2J")), Kind::Protocol),
    ] {
        let server = FaultServer::start(TestKey::Rsa2048).await;
        server.answer("GetPublicKey", [Answer::With(field, value.clone())]);
        let error = signer(&client(&server.url), "alias/partner").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{field} {value}: {}", whole(&error));
        assert_eq!(server.count("Sign"), 0);
    }
    let server = FaultServer::start(TestKey::Rsa2048).await;
    server.answer("GetPublicKey", [Answer::With("KeyId", json!(OTHER_ARN))]);
    assert_eq!(signer(&client(&server.url), ARN).await.unwrap_err().kind(), Kind::Untrusted);
}

/// A public half that belongs to another private half is found when the signer is built.
#[tokio::test]
async fn a_key_that_does_not_prove_itself_is_not_opened() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    server.answer("Sign", [Answer::HashedTwice]);
    assert_eq!(signer(&client(&server.url), "alias/partner").await.unwrap_err().kind(), Kind::Untrusted);
}

#[tokio::test]
async fn who_pays_for_each_request_may_leave_out_the_probe_and_verify_elsewhere() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let builder = AwsKmsSigner::builder(client(&server.url), named("alias/partner"));
    let signer = builder.with_verification(Verification::Never).build().await.unwrap();
    assert_eq!(server.count("Sign"), 0);
    server.answer("Sign", [Answer::HashedTwice, Answer::After(Duration::from_millis(1))]);
    let wrong = sign(&signer).await.unwrap();
    assert!(signer.key_info().public_key().verify(MESSAGE, &wrong).is_err());
    assert!(signer.key_info().public_key().verify(MESSAGE, &sign(&signer).await.unwrap()).is_ok());
}
