//! Which Region is asked.

use soticket_core::SignerErrorKind;
use soticket_signer_aws_kms::AwsKmsSigner;
use soticket_signer_aws_kms::aws_sdk_kms::Client;
use soticket_signer_aws_kms::aws_sdk_kms::config::{BehaviorVersion, Config};

use crate::support::{client, named, signer};

const ARN: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// The SDK would ask the client's Region for a key of another, which then is just not there.
#[tokio::test]
async fn an_arn_of_another_region_than_the_clients_is_an_error_before_any_request() {
    let error = signer(&client("http://127.0.0.1:9"), ARN).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration);
    assert!(error.to_string().contains("us-west-2") && error.to_string().contains("eu-central-1"), "{error}");
}

#[tokio::test]
async fn a_client_without_a_region_is_told_of() {
    let client = Client::from_conf(Config::builder().behavior_version(BehaviorVersion::latest()).build());
    let error = AwsKmsSigner::new(client, named("alias/partner")).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration);
    assert!(error.to_string().contains("AWS_REGION"), "{error}");
}
