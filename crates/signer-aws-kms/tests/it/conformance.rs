//! The suite that every signer passes, with the suite's keys brought into the stand-in.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use soticket_core::{SignerError, TokenSigner};
use soticket_signer_conformance::{Subject, TestKey, block_on, run_all};

use crate::support::{client, signer};
use crate::{double, support::named};

struct Service(HashMap<TestKey, String>);

#[async_trait]
impl Subject for Service {
    async fn open(&self, key: TestKey) -> Result<Arc<dyn TokenSigner>, SignerError> {
        // A client for each runtime: connections do not outlive the one that they were made on.
        Ok(Arc::new(signer(&client(&double::url()), &self.0[&key]).await?))
    }

    async fn open_missing(&self) -> Result<Arc<dyn TokenSigner>, SignerError> {
        Ok(Arc::new(signer(&client(&double::url()), named("alias/missing").as_str()).await?))
    }

    fn keys(&self) -> Vec<TestKey> {
        KEYS.to_vec()
    }
}

/// The service takes no RSA key under 2048 bits.
const KEYS: [TestKey; 4] = [TestKey::Rsa2048, TestKey::Rsa3072, TestKey::Rsa4096, TestKey::P256];

#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn aws_kms_passes() {
    block_on(async {
        let mut keys = HashMap::new();
        for key in KEYS {
            keys.insert(key, double::import(key).await.0);
        }
        run_all(&Service(keys)).await;
    });
}
