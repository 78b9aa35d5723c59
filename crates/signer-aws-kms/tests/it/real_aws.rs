//! Against AWS itself, for whoever has a key there: `SOTICKET_TEST_AWS_KEY` names it, as an `awskms:` URI.

use soticket_core::TokenSigner as _;
use soticket_signer_aws_kms::{AwsKmsSigner, AwsKmsUri};

use crate::support::{MESSAGE, sign, whole};

#[tokio::test]
#[ignore = "needs an AWS account; SOTICKET_TEST_AWS_KEY names a key there, and each run costs a few requests"]
async fn real_aws_signs() {
    let uri: AwsKmsUri = std::env::var("SOTICKET_TEST_AWS_KEY").expect("names a key").parse().unwrap();
    let signer = AwsKmsSigner::from_uri(&uri).await.unwrap_or_else(|error| panic!("{}", whole(&error)));
    let signature = sign(&signer).await.unwrap();
    assert!(signer.key_info().public_key().verify(MESSAGE, &signature).is_ok());
}
