//! A partner's key brought into the service.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use soticket_core::{SignerErrorKind, TokenSigner as _};
use soticket_signer_aws_kms::aws_sdk_kms::Client;
use soticket_signer_aws_kms::aws_sdk_kms::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use soticket_signer_aws_kms::aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents};
use soticket_signer_aws_kms::aws_sdk_kms::error::BoxError;
use soticket_signer_aws_kms::aws_sdk_kms::types::{KeySpec, KeyUsageType, OriginType};
use soticket_signer_conformance::TestKey;

use crate::double::{alias, bring, create_rsa, import, unique, url};
use crate::fault_server::{Answer, FaultServer};
use crate::support::{MESSAGE, client, settings, sign, signer, whole};

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn an_imported_key_signs_as_openssl_sees_it() {
    let (alias, imported) = import(TestKey::Rsa2048).await;
    assert!(!imported.was_there);
    let signer = signer(&client(&url()), &alias).await.unwrap();
    assert_eq!(
        (signer.key_arn(), signer.key_info().public_key()),
        (imported.arn.as_str(), &TestKey::Rsa2048.public_key())
    );
    let signature = sign(&signer).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, contents: &[u8]| {
        std::fs::write(folder.path().join(name), contents).unwrap();
        folder.path().join(name)
    };
    let mut openssl = Command::new("openssl");
    openssl
        .args(["dgst", "-sha256", "-verify"])
        .arg(file("public.pem", TestKey::Rsa2048.public_pem().as_bytes()));
    openssl.arg("-signature").arg(file("signature", signature.as_bytes())).arg(file("message", MESSAGE));
    let output = openssl.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn what_is_there_already_is_left_as_it_is() {
    let (alias, first) = import(TestKey::Rsa2048).await;
    let key = TestKey::Rsa2048;
    let again = bring(&client(&url()), &alias, key).await.unwrap();
    assert_eq!((again.arn, again.was_there), (first.arn, true));
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_name_of_another_key_is_not_taken_over() {
    let client = client(&url());
    let other = create_rsa(&client).await;
    let alias = alias(&client, "taken", &other).await;
    let key = TestKey::Rsa2048;
    for name in [alias.as_str(), other.as_str()] {
        let error = bring(&client, name, key).await.unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Key, "{}", whole(&error));
        assert!(error.to_string().contains("another key"), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_that_waits_gets_its_material_and_one_of_another_size_does_not() {
    let client = client(&url());
    let request = client.create_key().origin(OriginType::External).key_spec(KeySpec::Rsa3072);
    let created = request.key_usage(KeyUsageType::SignVerify).send().await.unwrap();
    let arn = created.key_metadata().unwrap().arn().unwrap();
    let import = async |key: TestKey| bring(&client, arn, key).await;
    let error = import(TestKey::Rsa2048).await.unwrap_err();
    assert!(error.to_string().contains("RSA_3072") && error.to_string().contains("RSA_2048"), "{error}");
    assert_eq!(import(TestKey::Rsa3072).await.unwrap().arn, arn);
    sign(&signer(&client, arn).await.unwrap()).await.unwrap();
}

/// As when the program is killed half-way.
#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn an_import_that_broke_off_goes_on_by_the_same_name() {
    let (key, alias) = (TestKey::Rsa2048, unique("broken-off"));
    let import = async |client: &Client| bring(client, &alias, key).await;
    let cut = settings(&url(), "test", "test").interceptor(CutOff("ImportKeyMaterial")).build();
    let error = import(&Client::from_conf(cut)).await.unwrap_err();
    let whole_client = client(&url());
    let described = whole_client.describe_key().key_id(&alias).send().await.unwrap();
    let arn = described.key_metadata().unwrap().arn().unwrap();
    assert!(error.to_string().contains(arn), "{error}");
    let imported = import(&whole_client).await.unwrap();
    assert_eq!((imported.arn.as_str(), imported.was_there), (arn, false));
    sign(&signer(&whole_client, &alias).await.unwrap()).await.unwrap();
}

/// The SDK asks again, and the service refuses what it has done already.
#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn an_import_goes_on_though_an_answer_is_lost() {
    for operation in ["DescribeKey", "CreateAlias", "GetParametersForImport", "ImportKeyMaterial"] {
        let (alias, lossy) = (unique("lossy"), Loses(operation, AtomicBool::new(false)));
        let lossy = Client::from_conf(settings(&url(), "test", "test").interceptor(lossy).build());
        let imported = bring(&lossy, &alias, TestKey::Rsa2048).await;
        let imported = imported.unwrap_or_else(|error| panic!("{operation}: {}", whole(&error)));
        assert_eq!(signer(&client(&url()), &alias).await.unwrap().key_arn(), imported.arn);
    }
}

/// A key without its alias goes on by its ARN.
#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_that_got_no_alias_is_named_by_its_arn() {
    let (key, alias) = (TestKey::Rsa2048, unique("no-alias"));
    let cut = settings(&url(), "test", "test").interceptor(CutOff("CreateAlias")).build();
    let import = async |client: &Client, name: &str| bring(client, name, key).await;
    let error = import(&Client::from_conf(cut), &alias).await.unwrap_err().to_string();
    let (_, arn) = error.split_once("the key `arn:").unwrap();
    let arn = format!("arn:{}", arn.split('`').next().unwrap());
    assert_eq!(import(&client(&url()), &arn).await.unwrap().arn, arn);
}

/// What cannot be looked at is not taken for another key.
#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_key_that_cannot_be_looked_at_is_not_called_another() {
    let (alias, _) = import(TestKey::Rsa2048).await;
    let cut = settings(&url(), "test", "test").interceptor(CutOff("GetPublicKey")).build();
    let error = bring(&Client::from_conf(cut), &alias, TestKey::Rsa2048).await.unwrap_err();
    assert!(!error.to_string().contains("another key"), "{error}");
}

/// A key is made once, whatever becomes of the answer, and that it may have been is told.
#[tokio::test]
async fn a_key_whose_making_was_not_answered_may_be_there() {
    let server = FaultServer::start(TestKey::Rsa2048).await;
    server.answer("DescribeKey", [Answer::Code(400, "NotFoundException")]);
    server.answer("CreateKey", [Answer::Drop, Answer::Drop, Answer::Drop]);
    let error = bring(&client(&server.url), "alias/new", TestKey::Rsa2048).await.unwrap_err();
    assert_eq!(server.count("CreateKey"), 1);
    assert!(error.to_string().contains("not known whether a key was made"), "{error}");
}

/// Lets no request for an operation leave.
#[derive(Debug)]
struct CutOff(&'static str);

#[dyn_dispatch_hint]
impl Intercept for CutOff {
    fn name(&self) -> &'static str {
        "cut off"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        if target.ends_with(self.0) { Err("cut off".into()) } else { Ok(()) }
    }
}

/// Has the first answer to an operation look as if the service had failed, after it did what was asked.
#[derive(Debug)]
struct Loses(&'static str, AtomicBool);

#[dyn_dispatch_hint]
impl Intercept for Loses {
    fn name(&self) -> &'static str {
        "loses"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        call: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_meant = call.load::<Metadata>().is_some_and(|call| call.name() == self.0);
        if is_meant && !self.1.swap(true, Ordering::Relaxed) {
            *context.response_mut().status_mut() = 500.try_into()?;
        }
        Ok(())
    }
}

/// SuperOffice's older keys; no request is made for one.
#[tokio::test]
async fn a_key_that_is_too_small_is_refused_with_what_to_do() {
    let key = TestKey::Rsa1024;
    let client = client("http://127.0.0.1:9");
    let error = bring(&client, &unique("small"), key).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Key);
    assert!(error.to_string().contains("1024") && error.to_string().contains("SuperOffice"), "{error}");
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn an_id_of_no_key_is_no_name_for_a_new_one() {
    let key = TestKey::Rsa2048;
    let error = bring(&client(&url()), "1234abcd-12ab-34cd-56ef-1234567890ab", key).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Key, "{}", whole(&error));
}
