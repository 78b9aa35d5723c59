//! What is sent to the service, and how often.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::Digest as _;
use soticket_signer_aws_kms::AwsKmsSigner;
use soticket_signer_conformance::TestKey;

use crate::fault_server::{ARN, FaultServer};
use crate::support::{MESSAGE, client, named, sign, signer};

#[tokio::test]
async fn the_public_key_is_asked_for_once_and_signatures_by_the_keys_own_arn() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let signer = signer(&client(&server.url), "alias/partner").await.unwrap();
    for _ in 0..3 {
        sign(&signer).await.unwrap();
    }
    assert_eq!(server.requests("GetPublicKey"), [json!({ "KeyId": "alias/partner" })]);
    let probe_and_signatures = server.requests("Sign");
    assert_eq!(probe_and_signatures.len(), 4);
    assert!(probe_and_signatures.iter().all(|request| request["KeyId"] == ARN));
}

#[tokio::test]
async fn of_a_message_only_its_digest_is_sent() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let signer = signer(&client(&server.url), "alias/partner").await.unwrap();
    sign(&signer).await.unwrap();
    let expected = json!({
        "KeyId": ARN,
        "Message": BASE64_STANDARD.encode(sha2::Sha256::digest(MESSAGE)),
        "MessageType": "DIGEST",
        "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
    });
    assert_eq!(server.requests("Sign").last(), Some(&expected));
}

#[tokio::test]
async fn grant_tokens_go_along_with_each_request() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let builder = AwsKmsSigner::builder(client(&server.url), named("alias/partner"));
    let signer = builder.with_grant_tokens(["first", "second"]).build().await.unwrap();
    sign(&signer).await.unwrap();
    let requests: Vec<Value> =
        ["GetPublicKey", "Sign"].iter().flat_map(|name| server.requests(name)).collect();
    assert_eq!(requests.len(), 3);
    assert!(
        requests.iter().all(|request| request["GrantTokens"] == json!(["first", "second"])),
        "{requests:?}"
    );
}
