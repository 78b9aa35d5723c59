//! The suite that every signer passes, over each real module.

use std::sync::Arc;

use async_trait::async_trait;
use soticket_core::{SignerError, TokenSigner};
use soticket_pkcs11_testbed::{Bed, Device, isolated};
use soticket_signer_conformance::{Subject, TestKey, block_on, run_all};
use soticket_signer_pkcs11::Pkcs11Signer;

use crate::support::pin;

/// The suite's keys, in one token.
struct Token {
    uri: String,
    pin: &'static str,
    keys: Vec<TestKey>,
}

impl Token {
    fn with_keys(bed: &Bed, keys: &[TestKey]) -> Self {
        for (number, key) in (1..).zip(keys) {
            bed.import(&format!("{number:02x}"), key.name(), key.private_pem());
        }
        Self { uri: bed.uri("object=LABEL"), pin: bed.pin(), keys: keys.to_vec() }
    }

    async fn open_labelled(&self, label: &str) -> Result<Arc<dyn TokenSigner>, SignerError> {
        let uri = self.uri.replace("LABEL", label).parse().unwrap();
        Ok(Arc::new(Pkcs11Signer::builder(uri).with_pin(pin(self.pin)).build().await?))
    }
}

#[async_trait]
impl Subject for Token {
    async fn open(&self, key: TestKey) -> Result<Arc<dyn TokenSigner>, SignerError> {
        self.open_labelled(key.name()).await
    }

    async fn open_missing(&self) -> Result<Arc<dyn TokenSigner>, SignerError> {
        self.open_labelled("missing").await
    }

    fn keys(&self) -> Vec<TestKey> {
        self.keys.clone()
    }

    fn secrets(&self) -> Vec<String> {
        vec![format!("\"{}\"", self.pin), format!("pin-value={}", self.pin)]
    }
}

fn all_keys(bed: &Bed) {
    block_on(run_all(&Token::with_keys(bed, &TestKey::ALL)));
}

#[test]
fn softhsm_passes() {
    isolated!(Device::SoftHsm.setup(), all_keys);
}

#[test]
fn a_token_behind_p11_kit_passes() {
    isolated!(Device::P11Kit.setup(), all_keys);
}

#[test]
fn nss_passes() {
    isolated!(Device::Nss.setup(), all_keys);
}

#[test]
#[ignore = "needs kryoptic, which cargo xtask softhsm-test builds"]
fn kryoptic_passes() {
    isolated!(Device::Kryoptic.setup(), all_keys);
}

/// Where the token hashes, messages go there whole.
#[test]
fn a_token_that_hashes_itself_passes() {
    let hidden = Device::SoftHsm.faulty().with_env("P11FAULT_HIDE_MECHANISMS", "0x1");
    isolated!(hidden, |bed: &Bed| {
        block_on(run_all(&Token::with_keys(bed, &[TestKey::Rsa2048])));
    });
}
