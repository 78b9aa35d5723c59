//! [`PemSigner`]: builds from a key source, proves that the key signs, and signs.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use soticket_core::signer::prove_possession;
use soticket_core::{Exportability, KeyInfo, Signature, SignerError, SignerErrorKind, TokenSigner};

use crate::engine::Engine;
use crate::passphrase::Passphrase;
use crate::private_key::PrivateKey;
use crate::source::KeySource;

/// The name of this backend in [`KeyInfo`].
pub const BACKEND: &str = "pem";

/// Signs with a private key in this process's memory.
///
/// A signature is pure computation and runs inline, on whatever thread polls: well under a millisecond for
/// P-256 and for RSA with 2048 bits, one to two milliseconds for RSA with 4096 bits and for RSA keys under 2048
/// bits. Handing that to another thread would gain little and bind this crate to a runtime.
#[derive(Debug)]
pub struct PemSigner {
    info: KeyInfo,
    engine: Engine,
}

impl PemSigner {
    /// Starts to build a signer with the key from `source`.
    #[must_use]
    pub fn builder(source: KeySource) -> PemSignerBuilder {
        PemSignerBuilder { source, passphrase: Passphrase::none(), probe: Probe::Sign }
    }
}

#[async_trait]
impl TokenSigner for PemSigner {
    fn key_info(&self) -> &KeyInfo {
        &self.info
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.engine.sign(message)
    }
}

/// Whether a signer proves at once that its key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Probe {
    /// Sign a fixed text and verify the signature.
    #[default]
    Sign,
    /// Do not.
    Skip,
}

/// What a [`PemSigner`] is built from.
#[derive(Debug)]
pub struct PemSignerBuilder {
    source: KeySource,
    passphrase: Passphrase,
    probe: Probe,
}

impl PemSignerBuilder {
    /// Where to get the passphrase from, should the key be encrypted; without this an encrypted key is refused.
    #[must_use]
    pub fn with_passphrase(mut self, passphrase: Passphrase) -> Self {
        self.passphrase = passphrase;
        self
    }

    /// Whether to sign and verify a probe; it costs one signature, and is done without this.
    #[must_use]
    pub fn with_probe(mut self, probe: Probe) -> Self {
        self.probe = probe;
        self
    }

    /// Reads and checks the key, once; nothing is read later on.
    ///
    /// Blocks while it reads the file, decrypts the key and waits for the passphrase: in asynchronous code, run
    /// it where blocking is allowed. What an operator should know is logged as a warning, and kept in
    /// [`KeyInfo::warnings`].
    ///
    /// # Errors
    /// When the file cannot be read, holds no key that can be used, or the key does not sign; the message
    /// names the file and the cure.
    pub fn build(self) -> Result<PemSigner, SignerError> {
        let loaded = PrivateKey::read(&self.source, self.passphrase)?;
        let engine = Engine::new(loaded.key()).map_err(|error| error.into_signer_error(&self.source))?;
        let public_key = loaded.key().public_key().clone();
        let mut info = KeyInfo::new(public_key, BACKEND, self.source.label(), self.source.location())
            .with_format(loaded.format().to_string())
            .with_exportability(Exportability::Exportable);
        for warning in loaded.warnings() {
            tracing::warn!(key = %self.source, "{warning}");
            info = info.with_warning(warning);
        }
        let signer = PemSigner { info, engine };
        match self.probe {
            Probe::Sign => prove(&signer).map_err(|error| probe_error(&self.source, error))?,
            Probe::Skip => {}
        }
        Ok(signer)
    }
}

/// A key whose numbers fit each other and which still does not sign is not made of primes.
fn probe_error(source: &KeySource, cause: SignerError) -> SignerError {
    let message = format!("{source}: the key does not sign; it is damaged: restore it from its backup");
    SignerError::new(SignerErrorKind::Key, message).with_source(cause)
}

/// The proof never waits, since this signer never does: one poll completes it, without a runtime.
fn prove(signer: &PemSigner) -> Result<(), SignerError> {
    let mut proof = pin!(prove_possession(signer));
    match proof.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => {
            Err(SignerError::new(SignerErrorKind::Bug, "the probe of a key file waits; report it"))
        }
    }
}
