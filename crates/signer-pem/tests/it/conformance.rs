//! The suite that every signer passes.

use std::sync::Arc;

use async_trait::async_trait;
use soticket_core::{SignerError, TokenSigner};
use soticket_signer_conformance::{Subject, TestKey, conformance};
use soticket_signer_pem::{KeySource, PemSigner};

struct KeyFiles;

#[async_trait]
impl Subject for KeyFiles {
    async fn open(&self, key: TestKey) -> Result<Arc<dyn TokenSigner>, SignerError> {
        let source = KeySource::memory(key.name(), key.private_pem().as_bytes().to_vec());
        Ok(Arc::new(PemSigner::builder(source).build()?))
    }

    async fn open_missing(&self) -> Result<Arc<dyn TokenSigner>, SignerError> {
        Ok(Arc::new(PemSigner::builder(KeySource::file("no/such/key.pem")).build()?))
    }
}

conformance!(KeyFiles);
