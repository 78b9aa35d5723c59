//! Keys that are trusted by themselves: SuperOffice's Federated Login certificates, or their public keys.

use std::sync::Arc;

use jsonwebtoken::DecodingKey;
use thiserror::Error;

use crate::jwt::key_set::VerificationKey;
use crate::public_key::{self, PublicKey, ReadPublicKeyError};
use crate::signer::SigningAlgorithm;

/// Public keys that may sign JWTs, instead of those that the JWKS names.
///
/// Several may be pinned, such as the present and the next. Of a certificate the key counts and nothing else:
/// no chain is built, and no date is looked at, since SuperOffice issues these for a century, under its own root.
#[derive(Debug, Clone, Default)]
pub struct PinnedKeys {
    keys: Vec<Arc<VerificationKey>>,
    public_keys: Vec<PublicKey>,
}

impl PinnedKeys {
    /// Reads certificates and public keys: one in DER, or any number in PEM with any text between.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be used to verify RS256 with at least 2048 bits.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, PinnedKeyError> {
        Self::default().and_pem_or_der(bytes)
    }

    /// As [`PinnedKeys::from_pem_or_der`], beside those that are there already.
    ///
    /// # Errors
    /// As [`PinnedKeys::from_pem_or_der`].
    pub fn and_pem_or_der(mut self, bytes: &[u8]) -> Result<Self, PinnedKeyError> {
        for key in public_key::read_all(bytes)? {
            self.push(key)?;
        }
        Ok(self)
    }

    /// The pinned public keys, in the order in which they were given.
    #[must_use]
    pub fn public_keys(&self) -> &[PublicKey] {
        &self.public_keys
    }

    pub(crate) fn keys(&self) -> &[Arc<VerificationKey>] {
        &self.keys
    }

    fn push(&mut self, key: PublicKey) -> Result<(), PinnedKeyError> {
        if key.algorithm() != SigningAlgorithm::Rs256 || key.bits() < MIN_BITS {
            return Err(PinnedKeyError::Unsuitable { algorithm: key.algorithm(), bits: key.bits() });
        }
        self.keys.push(Arc::new(VerificationKey::pinned(DecodingKey::from_rsa_der(key.spki_der()))));
        self.public_keys.push(key);
        Ok(())
    }
}

/// Why bytes cannot be pinned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PinnedKeyError {
    /// No certificate and no public key that can be read.
    #[error("the file cannot be pinned; name the certificate that SuperOffice publishes for the environment")]
    Unreadable(#[from] ReadPublicKeyError),
    /// A key that is read but cannot verify SuperOffice's JWTs.
    #[error(
        "the key is {algorithm} with {bits} bits; SuperOffice's JWTs need RS256 with at least {MIN_BITS}"
    )]
    Unsuitable {
        /// The key's algorithm.
        algorithm: SigningAlgorithm,
        /// The key's size.
        bits: u32,
    },
}

const MIN_BITS: u32 = 2048;

#[cfg(test)]
mod tests;
