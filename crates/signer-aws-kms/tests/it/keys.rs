//! The ways to name a key, and the keys that do not sign.

use soticket_core::{SignerErrorKind, TokenSigner as _};
use soticket_signer_aws_kms::aws_sdk_kms::types::{KeySpec, KeyUsageType, OriginType};
use soticket_signer_aws_kms::{AwsKmsSigner, AwsKmsUri};
use soticket_signer_conformance::TestKey;

use crate::double::{alias, create, create_rsa, import, url};
use crate::support::{MESSAGE, client, code, sign, signer, whole};

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_is_found_by_id_arn_alias_and_the_aliass_arn() {
    let client = client(&url());
    let arn = create_rsa(&client).await;
    let alias = alias(&client, "partner", &arn).await;
    let alias_arn = format!("{}:{alias}", arn.rsplit_once(':').unwrap().0);
    for name in [arn.as_str(), arn.rsplit_once('/').unwrap().1, &alias, &alias_arn] {
        let signer = signer(&client, name).await.unwrap();
        assert_eq!(signer.key_arn(), arn);
        assert_eq!((signer.key_info().label(), signer.key_info().location()), (name, arn.as_str()));
        let signature = sign(&signer).await.unwrap();
        assert!(signer.key_info().public_key().verify(MESSAGE, &signature).is_ok());
    }
}

/// An alias that is pointed elsewhere changes nothing for those who have opened it, and for others it is another key.
#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_re_pointed_alias_does_not_change_the_key_silently() {
    let client = client(&url());
    let (first, second) = (create_rsa(&client).await, create_rsa(&client).await);
    let alias = alias(&client, "moved", &first).await;
    let opened = signer(&client, &alias).await.unwrap();
    client.update_alias().alias_name(&alias).target_key_id(&second).send().await.unwrap();
    let signature = sign(&opened).await.unwrap();
    assert!(opened.key_info().public_key().verify(MESSAGE, &signature).is_ok());
    assert_eq!(opened.key_arn(), first);
    assert_eq!(signer(&client, &alias).await.unwrap().key_arn(), second);
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_that_is_disabled_meanwhile_is_told_and_signs_again_when_enabled() {
    let client = client(&url());
    let arn = create_rsa(&client).await;
    let opened = signer(&client, &arn).await.unwrap();
    client.disable_key().key_id(&arn).send().await.unwrap();
    let error = sign(&opened).await.unwrap_err();
    assert_eq!((error.kind(), code(&error)), (SignerErrorKind::Key, Some("DisabledException")));
    assert!(whole(&error).contains("enable-key") && whole(&error).contains(&arn), "{}", whole(&error));
    assert!(signer(&client, &arn).await.is_err());
    client.enable_key().key_id(&arn).send().await.unwrap();
    sign(&opened).await.unwrap();
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_that_is_to_be_deleted_does_not_sign() {
    let client = client(&url());
    let arn = create_rsa(&client).await;
    let opened = signer(&client, &arn).await.unwrap();
    client.schedule_key_deletion().key_id(&arn).pending_window_in_days(7).send().await.unwrap();
    let error = sign(&opened).await.unwrap_err();
    assert_eq!((error.kind(), code(&error)), (SignerErrorKind::Key, Some("KMSInvalidStateException")));
    assert!(error.to_string().contains("deletion"), "{error}");
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_that_waits_for_its_material_does_not_sign() {
    let client = client(&url());
    let request = client.create_key().origin(OriginType::External).key_spec(KeySpec::Rsa2048);
    let created = request.key_usage(KeyUsageType::SignVerify).send().await.unwrap();
    let error = signer(&client, created.key_metadata().unwrap().arn().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), code(&error)), (SignerErrorKind::Key, Some("KMSInvalidStateException")));
    assert!(error.to_string().contains("imported"), "{error}");
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_of_another_kind_is_refused_with_what_it_is_and_what_is_needed() {
    let client = client(&url());
    for (spec, usage) in [
        (KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt),
        (KeySpec::EccNistP384, KeyUsageType::SignVerify),
        (KeySpec::EccSecgP256K1, KeyUsageType::SignVerify),
    ] {
        let arn = create(&client, spec.clone(), usage.clone()).await;
        let error = signer(&client, &arn).await.unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Key);
        for part in [spec.as_str(), usage.as_str(), "RSA_2048", "ECC_NIST_P256", "SIGN_VERIFY"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_that_is_not_there_is_told_with_its_region() {
    let client = client(&url());
    for name in ["alias/missing", "1234abcd-12ab-34cd-56ef-1234567890ab"] {
        let error = signer(&client, name).await.unwrap_err();
        assert_eq!((error.kind(), code(&error)), (SignerErrorKind::Key, Some("NotFoundException")));
        assert!(error.to_string().contains(name) && error.to_string().contains("eu-central-1"), "{error}");
    }
}

/// With the SDK's own way to credentials, which the environment of the tests closes but for these.
#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn without_credentials_the_error_says_how_to_give_some() {
    let (alias, _) = import(TestKey::P256).await;
    let uri: AwsKmsUri =
        format!("awskms:///{alias}?region=eu-central-1&endpoint-url={}", url()).parse().unwrap();
    let error = AwsKmsSigner::from_uri(&uri).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration, "{}", whole(&error));
    assert!(error.to_string().contains("AWS_PROFILE"), "{error}");
    let uri: AwsKmsUri = uri.to_string().replace('?', "?profile=missing&").parse().unwrap();
    let error = AwsKmsSigner::from_uri(&uri).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration, "{}", whole(&error));
}
