//! What a signing backend is: [`TokenSigner`], what it tells of its key, what it returns and how it fails.

mod error;
mod key_info;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64ct::{Base64, Encoding};

pub use error::{SignerError, SignerErrorKind};
pub use key_info::{Exportability, KeyInfo};

/// Signs system user tokens with a private key that may be out of this process's reach.
///
/// Object safe, because the backend is chosen at run time, and asynchronous, because an HSM or a key service
/// is I/O. An implementation never blocks the executor, and a caller that stops waiting harms nothing.
#[async_trait]
pub trait TokenSigner: fmt::Debug + Send + Sync + 'static {
    /// What was learned of the key when the signer was built; never does I/O.
    fn key_info(&self) -> &KeyInfo;

    /// Signs the whole `message`; the signer hashes, callers never pre-hash.
    ///
    /// # Errors
    /// A [`SignerError`] whose kind says who must act; nothing is signed in part.
    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
}

#[async_trait]
impl<S: TokenSigner + ?Sized> TokenSigner for Arc<S> {
    fn key_info(&self) -> &KeyInfo {
        (**self).key_info()
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        (**self).sign(message).await
    }
}

#[async_trait]
impl<S: TokenSigner + ?Sized> TokenSigner for Box<S> {
    fn key_info(&self) -> &KeyInfo {
        (**self).key_info()
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        (**self).sign(message).await
    }
}

/// Signs a fixed probe and verifies it, so that a mismatched key is found when a signer is built and not as
/// a refusal by a remote party.
///
/// The probe cannot be mistaken for a system user token: it holds a control character.
///
/// # Errors
/// The signer's own error, or [`SignerErrorKind::Untrusted`] when the signature does not verify under the
/// public key that the signer states.
pub async fn prove_possession(signer: &dyn TokenSigner) -> Result<(), SignerError> {
    let info = signer.key_info();
    let signature = signer.sign(PROBE).await?;
    info.public_key().verify(PROBE, &signature).map_err(|mismatch| {
        let message = format!(
            "the private key of {info} does not belong to its public key (SHA-256 {}); \
             correct the key or the certificate that is stored with it",
            info.public_key().fingerprint()
        );
        SignerError::new(SignerErrorKind::Untrusted, message).with_source(mismatch)
    })
}

/// A signature algorithm, under its JOSE name (RFC 7518).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, the one that SuperOffice documents.
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        })
    }
}

/// A signature in the form that verifiers expect.
///
/// [`SigningAlgorithm::Rs256`]: the PKCS#1 v1.5 signature, as long as the modulus.
/// [`SigningAlgorithm::Es256`]: `r ‖ s`, 32 bytes each, big-endian (RFC 7518, section 3.4), whatever form the backend has.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Box<[u8]>);

impl Signature {
    /// Takes bytes that are in the documented form already.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Standard Base64 with padding (RFC 4648, section 4).
    #[must_use]
    pub fn to_base64(&self) -> String {
        Base64::encode_string(&self.0)
    }
}

/// A signature over a system user token is a credential, so its bytes are not shown.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature([redacted])")
    }
}

const PROBE: &[u8] = b"soticket key probe\0";
