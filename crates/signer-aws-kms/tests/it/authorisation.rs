//! Credentials and policies, against the stand-in that looks at them.

use std::time::{Duration, SystemTime};

use soticket_core::SignerErrorKind as Kind;
use soticket_signer_aws_kms::aws_sdk_kms::Client;
use soticket_signer_aws_kms::aws_sdk_kms::config::Credentials;
use soticket_signer_conformance::TestKey;

use crate::double::{bring, create_rsa, unique, url_with_authorisation};
use crate::support::{client, code, settings, sign, signer, whole};

/// A key, made by the account's root, and a user who may do with it what a policy says.
struct User {
    key: String,
    id: String,
    secret: String,
}

impl User {
    async fn with(policy: impl FnOnce(&str) -> String) -> Self {
        let key = create_rsa(&client(&url_with_authorisation())).await;
        let name = unique("user").replace(['/'], "-");
        iam(&[("Action", "CreateUser"), ("UserName", &name)]).await;
        let policy = policy(&key);
        let named = [("UserName", name.as_str()), ("PolicyName", "partner"), ("PolicyDocument", &policy)];
        iam(&[&[("Action", "PutUserPolicy")], &named[..]].concat()).await;
        let made = iam(&[("Action", "CreateAccessKey"), ("UserName", &name)]).await;
        let field = |name: &str| {
            let (_, rest) = made.split_once(&format!("<{name}>")).unwrap();
            rest.split('<').next().unwrap().to_owned()
        };
        Self { key, id: field("AccessKeyId"), secret: field("SecretAccessKey") }
    }

    fn client(&self) -> Client {
        Client::from_conf(settings(&url_with_authorisation(), &self.id, &self.secret).build())
    }
}

/// Asks for something of IAM, as the account's root, whom the stand-in knows by the key id `test`.
async fn iam(form: &[(&str, &str)]) -> String {
    let body = form.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    let request = reqwest::Client::new().post(url_with_authorisation());
    let request = request
        .header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.chain([String::from("Version=2010-05-08")]).collect::<Vec<_>>().join("&"));
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status}: {text}");
    text
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn statement(effect: &str, action: &str, key: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{key}"}}"#)
}

fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// The guide's policy that `mark` stands before.
fn in_the_guide(mark: &str) -> serde_json::Value {
    let guide = include_str!("../../../../docs/kms.md");
    let (_, rest) = guide.split_once(&format!("<!-- {mark} -->")).expect("the guide has this policy");
    serde_json::from_str(rest.split("```json\n").nth(1).unwrap().split("```").next().unwrap()).unwrap()
}

/// The guide's policy for whoever imports a key, without what the stand-in does not know: conditions, and of `CreateAlias`
/// the resources.
fn guides_policy_for_imports() -> String {
    let mut policy = in_the_guide("the importer's policy");
    let condition = policy["Statement"][0].as_object_mut().unwrap().remove("Condition").unwrap();
    assert_eq!(condition["StringEquals"]["kms:KeyOrigin"], "EXTERNAL");
    let naming = &mut policy["Statement"][1];
    assert_eq!(naming["Action"], "kms:CreateAlias");
    assert_eq!(naming["Resource"].as_array().unwrap().len(), 2, "the alias, and the keys that it may name");
    naming["Resource"] = "*".into();
    policy.to_string()
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn the_guides_policy_for_imports_is_enough() {
    let alias = unique("imported");
    let user = User::with(|_| guides_policy_for_imports()).await;
    let imported = bring(&user.client(), &alias, TestKey::Rsa2048).await;
    imported.unwrap_or_else(|error| panic!("{}", whole(&error)));
    signer(&user.client(), &alias).await.unwrap_or_else(|error| panic!("{}", whole(&error)));
    assert!(user.client().delete_alias().alias_name(&alias).send().await.is_err());
}

/// The guide's policy for a signer, for this key. The stand-in does not know the guide's condition, and refuses all that
/// has one.
fn guides_policy(key: &str) -> String {
    let mut policy = in_the_guide("the signer's policy");
    let condition = policy["Statement"][0].as_object_mut().unwrap().remove("Condition").unwrap();
    assert_eq!(condition["StringEquals"]["kms:SigningAlgorithm"], "RSASSA_PKCS1_V1_5_SHA_256");
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Resource"] = key.into();
    }
    policy.to_string()
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn the_guides_policy_is_enough_and_allows_nothing_else() {
    let user = User::with(guides_policy).await;
    let signer = signer(&user.client(), &user.key).await.unwrap_or_else(|error| panic!("{}", whole(&error)));
    sign(&signer).await.unwrap();
    assert!(user.client().disable_key().key_id(&user.key).send().await.is_err());
    assert!(user.client().create_key().send().await.is_err());
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn what_a_policy_does_not_allow_is_told_with_action_and_key() {
    let only_read = User::with(|key| policy(&[statement("Allow", "kms:GetPublicKey", key)])).await;
    let denied =
        User::with(|key| policy(&[statement("Allow", "kms:*", key), statement("Deny", "kms:Sign", key)]))
            .await;
    for user in [only_read, denied] {
        let error = signer(&user.client(), &user.key).await.unwrap_err();
        assert_eq!((error.kind(), code(&error)), (Kind::Refused, Some("AccessDeniedException")));
        assert!(whole(&error).contains("kms:Sign") && whole(&error).contains(&user.key), "{}", whole(&error));
    }
    let nothing = User::with(|key| policy(&[statement("Allow", "kms:Sign", key)])).await;
    let error = signer(&nothing.client(), &nothing.key).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("kms:GetPublicKey"), "{error}");
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn wrong_credentials_are_told_apart_and_not_shown() {
    let user = User::with(guides_policy).await;
    let mistaken = Credentials::new(&user.id, "hunter2hunter2hunter2", None, None, "test");
    let unknown = Credentials::new("AKIAUNKNOWNUNKNOWN00", &user.secret, None, None, "test");
    for (credentials, name, cure) in [
        (mistaken, "InvalidSignatureException", "secret access key"),
        (unknown, "UnrecognizedClientException", "access key id"),
    ] {
        let settings = settings(&url_with_authorisation(), "", "").credentials_provider(credentials);
        let error = signer(&Client::from_conf(settings.build()), &user.key).await.unwrap_err();
        assert_eq!((error.kind(), code(&error)), (Kind::Configuration, Some(name)));
        assert!(error.to_string().contains(cure), "{error}");
        assert!(
            !whole(&error).contains("hunter2") && !whole(&error).contains(&user.secret),
            "{}",
            whole(&error)
        );
    }
}

/// The SDK corrects its clock by the service's answers and tries again; that is taken away, to see what is told.
#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
async fn a_wrong_clock_is_told() {
    let user = User::with(guides_policy).await;
    #[expect(clippy::disallowed_methods, reason = "what is given to the SDK is off by an hour")]
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let settings = settings(&url_with_authorisation(), &user.id, &user.secret);
    let settings = settings.time_source(Stopped(an_hour_ago)).disable_clock_skew_correction(true);
    let error = signer(&Client::from_conf(settings.build()), &user.key).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration, "{}", whole(&error));
    assert!(error.to_string().contains("clock"), "{error}");
}

#[derive(Debug)]
struct Stopped(SystemTime);

impl aws_smithy_async::time::TimeSource for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}
