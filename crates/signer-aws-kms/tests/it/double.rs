//! The stand-in that `cargo xtask kms-test` starts, and keys in it.

use pkcs8::DecodePrivateKey as _;
use pkcs8::der::SecretDocument;
use soticket_core::SignerError;
use soticket_signer_aws_kms::aws_sdk_kms::Client;
use soticket_signer_aws_kms::aws_sdk_kms::types::{KeySpec, KeyUsageType};
use soticket_signer_aws_kms::{ImportedKey, import_key};
use soticket_signer_conformance::TestKey;
use tokio::sync::Mutex;

use crate::support::{client, named};

/// Where the stand-in is.
pub(crate) fn url() -> String {
    variable("SOTICKET_TEST_KMS")
}

/// Where the one is that looks at credentials and policies.
pub(crate) fn url_with_authorisation() -> String {
    variable("SOTICKET_TEST_KMS_AUTH")
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask kms-test`"))
}

/// A new key's ARN.
pub(crate) async fn create(client: &Client, spec: KeySpec, usage: KeyUsageType) -> String {
    let created = client.create_key().key_spec(spec).key_usage(usage).send().await.unwrap();
    created.key_metadata().unwrap().arn().unwrap().to_owned()
}

/// A new RSA key that signs.
pub(crate) async fn create_rsa(client: &Client) -> String {
    create(client, KeySpec::Rsa2048, KeyUsageType::SignVerify).await
}

pub(crate) async fn alias(client: &Client, name: &str, arn: &str) -> String {
    let alias = unique(name);
    client.create_alias().alias_name(&alias).target_key_id(arn).send().await.unwrap();
    alias
}

/// A name that no other test has, however many run at once and one after another against one stand-in.
pub(crate) fn unique(name: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("alias/{name}-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

/// Imports one of the suite's keys under this name. One at a time: the stand-in makes a wrapping key of 4096 bits for
/// each, and answers nobody meanwhile.
pub(crate) async fn bring(client: &Client, name: &str, key: TestKey) -> Result<ImportedKey, SignerError> {
    static TURN: Mutex<()> = Mutex::const_new(());
    let _turn = TURN.lock().await;
    import_key(client, &named(name), pkcs8(key).as_bytes(), &key.public_key()).await
}

/// One of the suite's keys, under a new alias.
pub(crate) async fn import(key: TestKey) -> (String, ImportedKey) {
    let alias = unique(key.name());
    let imported = bring(&client(&url()), &alias, key).await.unwrap();
    (alias, imported)
}

/// PKCS#8 in DER.
fn pkcs8(key: TestKey) -> SecretDocument {
    struct Document(SecretDocument);

    impl TryFrom<pkcs8::PrivateKeyInfoRef<'_>> for Document {
        type Error = pkcs8::Error;

        fn try_from(info: pkcs8::PrivateKeyInfoRef<'_>) -> Result<Self, pkcs8::Error> {
            Ok(Self(SecretDocument::encode_msg(&info)?))
        }
    }
    Document::from_pkcs8_pem(key.private_pem()).unwrap().0
}
