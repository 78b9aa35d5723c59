//! Signers with one mistake each are caught by the check for it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use soticket_core::{KeyInfo, PublicKey, Signature, SignerError, SignerErrorKind, TokenSigner};
use soticket_signer_conformance::{Subject, TestKey, block_on, checks, run_all};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    SignsWithAnotherKey,
    CutsLongMessages,
    StatesAnotherKey,
    ShowsTheKey,
    BlocksTheExecutor,
    IsBrokenByCancellation,
    InventsMissingKeys,
    BlamesTheNetwork,
}

struct Backend(Mistake);

struct Signer {
    mistake: Mistake,
    info: KeyInfo,
    key: rsa::pkcs1v15::SigningKey<rsa::sha2::Sha256>,
    busy: tokio::sync::Mutex<bool>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.mistake == Mistake::ShowsTheKey {
            TestKey::Rsa2048.private_pem()
        } else {
            "Signer"
        })
    }
}

#[async_trait]
impl TokenSigner for Signer {
    fn key_info(&self) -> &KeyInfo {
        &self.info
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        match self.mistake {
            Mistake::BlocksTheExecutor => std::thread::park_timeout(std::time::Duration::from_millis(100)),
            Mistake::IsBrokenByCancellation => {
                let mut busy = self.busy.lock().await;
                assert!(!std::mem::replace(&mut *busy, true), "broken");
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                *busy = false;
            }
            _ => {}
        }
        let limit = if self.mistake == Mistake::CutsLongMessages { 16 * 1024 } else { usize::MAX };
        let message = &message[..message.len().min(limit)];
        Ok(Signature::from_bytes(self.key.sign(message).to_vec()))
    }
}

#[async_trait]
impl Subject for Backend {
    async fn open(&self, key: TestKey) -> Result<Arc<dyn TokenSigner>, SignerError> {
        let other = TestKey::Rsa3072;
        let private = if self.0 == Mistake::SignsWithAnotherKey { other } else { key };
        let public = if self.0 == Mistake::StatesAnotherKey { other } else { key };
        let private = rsa::PrivateKey::from_pkcs8_pem(private.private_pem()).unwrap();
        Ok(Arc::new(Signer {
            mistake: self.0,
            info: KeyInfo::new(PublicKey::from_pem(public.public_pem()).unwrap(), "wrong", "label", "memory"),
            key: rsa::pkcs1v15::SigningKey::new(private),
            busy: tokio::sync::Mutex::new(false),
        }))
    }

    async fn open_missing(&self) -> Result<Arc<dyn TokenSigner>, SignerError> {
        match self.0 {
            Mistake::InventsMissingKeys => self.open(TestKey::Rsa2048).await,
            Mistake::BlamesTheNetwork => Err(SignerError::new(SignerErrorKind::Transport, "try again")),
            _ => Err(SignerError::new(SignerErrorKind::Key, "there is no such key")),
        }
    }

    fn keys(&self) -> Vec<TestKey> {
        vec![TestKey::Rsa2048]
    }
}

fn is_caught<F: Future<Output = ()>>(mistake: Mistake, check: impl FnOnce(&'static Backend) -> F) {
    let backend: &'static Backend = Box::leak(Box::new(Backend(mistake)));
    let caught = catch_unwind(AssertUnwindSafe(|| block_on(check(backend)))).is_err();
    assert!(caught, "{mistake:?} was not noticed");
}

#[test]
fn a_signer_without_mistakes_passes() {
    block_on(run_all(&Backend(Mistake::None)));
}

#[test]
fn each_mistake_is_caught() {
    is_caught(Mistake::SignsWithAnotherKey, |backend| checks::signatures_verify_and_are_openssls(backend));
    is_caught(Mistake::CutsLongMessages, |backend| checks::signatures_verify_and_are_openssls(backend));
    is_caught(Mistake::StatesAnotherKey, |backend| checks::key_info_is_true_and_does_not_change(backend));
    is_caught(Mistake::ShowsTheKey, |backend| checks::nothing_secret_shows(backend));
    is_caught(Mistake::BlocksTheExecutor, |backend| checks::the_executor_goes_on(backend));
    is_caught(Mistake::IsBrokenByCancellation, |backend| checks::callers_that_give_up_harm_nobody(backend));
    is_caught(Mistake::InventsMissingKeys, |backend| checks::a_missing_key_is_told_of(backend));
    is_caught(Mistake::BlamesTheNetwork, |backend| checks::a_missing_key_is_told_of(backend));
}
