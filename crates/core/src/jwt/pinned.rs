//! Keys that are trusted by themselves: SuperOffice's Federated Login certificates, or their public keys.

use std::sync::Arc;

use jsonwebtoken::DecodingKey;
use pkcs1::der::{Decode, Encode, pem};
use thiserror::Error;
use x509_cert::Certificate;

use crate::jwt::key_set::VerificationKey;
use crate::public_key::{PublicKey, PublicKeyError};
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
        if bytes.len() > MAX_FILE_SIZE {
            return Err(PinnedKeyError::TooLarge);
        }
        match pem_blocks(bytes)? {
            blocks if blocks.is_empty() => self.push(public_key_of_der(bytes)?)?,
            blocks => {
                for (label, der) in blocks {
                    self.push(public_key_of_block(&label, &der)?)?;
                }
            }
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
            return Err(PinnedKeyError::Unsuitable {
                algorithm: key.algorithm(),
                bits: key.bits(),
            });
        }
        self.keys
            .push(Arc::new(VerificationKey::pinned(DecodingKey::from_rsa_der(
                key.spki_der(),
            ))));
        self.public_keys.push(key);
        Ok(())
    }
}

/// Why bytes cannot be pinned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PinnedKeyError {
    /// Larger than any certificate file.
    #[error("the file is larger than {MAX_FILE_SIZE} bytes; a certificate was expected")]
    TooLarge,
    /// Neither PEM nor DER of a certificate or a public key.
    #[error("no certificate and no public key found, neither in PEM nor in DER")]
    NothingFound,
    /// A PEM block that is damaged.
    #[error("a PEM block is damaged")]
    Pem(#[source] pem::Error),
    /// A private key, which has no business here.
    #[error(
        "this is a private key (`{0}`); pin the certificate that SuperOffice publishes for the environment"
    )]
    PrivateKey(String),
    /// A PEM block of another kind.
    #[error("the PEM block `{0}` is neither a certificate nor a public key")]
    OtherBlock(String),
    /// A certificate that cannot be read.
    #[error("the certificate cannot be read")]
    Certificate(#[source] pkcs1::der::Error),
    /// A key that cannot be read.
    #[error("the public key cannot be used")]
    PublicKey(#[from] PublicKeyError),
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

fn pem_blocks(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PinnedKeyError> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(Vec::new());
    };
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(PEM_BEGIN) {
        let block = rest.get(start..).unwrap_or_default();
        let end = block
            .find(PEM_END)
            .and_then(|end| Some(end + block.get(end..)?.find('\n').unwrap_or(block.len() - end)));
        let end = end.unwrap_or(block.len());
        let (block, after) = block.split_at(end);
        let (label, der) = pem::decode_vec(block.trim_end().as_bytes()).map_err(PinnedKeyError::Pem)?;
        blocks.push((label.to_owned(), der));
        rest = after;
    }
    Ok(blocks)
}

fn public_key_of_block(label: &str, der: &[u8]) -> Result<PublicKey, PinnedKeyError> {
    match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => public_key_of_certificate(der),
        "PUBLIC KEY" => Ok(PublicKey::from_spki_der(der)?),
        "RSA PUBLIC KEY" => Ok(PublicKey::from_pkcs1_der(der)?),
        _ if label.contains("PRIVATE KEY") => Err(PinnedKeyError::PrivateKey(label.to_owned())),
        _ => Err(PinnedKeyError::OtherBlock(label.to_owned())),
    }
}

fn public_key_of_der(der: &[u8]) -> Result<PublicKey, PinnedKeyError> {
    public_key_of_certificate(der)
        .or_else(|_| PublicKey::from_spki_der(der))
        .or_else(|_| PublicKey::from_pkcs1_der(der))
        .map_err(|_| PinnedKeyError::NothingFound)
}

fn public_key_of_certificate(der: &[u8]) -> Result<PublicKey, PinnedKeyError> {
    let certificate = Certificate::from_der(der).map_err(PinnedKeyError::Certificate)?;
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der();
    Ok(PublicKey::from_spki_der(
        &spki.map_err(PinnedKeyError::Certificate)?,
    )?)
}

const MAX_FILE_SIZE: usize = 1024 * 1024;
const MIN_BITS: u32 = 2048;
const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

#[cfg(test)]
mod tests;
