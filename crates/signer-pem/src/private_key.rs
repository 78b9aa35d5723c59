//! A private key in memory: read, generated, written out again, and wiped when it is dropped.

mod export;
mod generate;

use std::fmt;

use p256::elliptic_curve::sec1::ToSec1Point;
use pkcs8::EncodePublicKey;
use rsa::pkcs1::EncodeRsaPublicKey;
use soticket_core::{PublicKey, SignerError, SigningAlgorithm};

use crate::error::{KeyError, KeyProblem};
use crate::format::DetectedFormat;
use crate::passphrase::Passphrase;
use crate::source::KeySource;
use crate::{parse, rsa_parts};

pub use export::KeyDerivation;
pub use generate::KeyType;

/// An RSA key of [`MIN_RSA_BITS`](crate::MIN_RSA_BITS) to [`MAX_RSA_BITS`](crate::MAX_RSA_BITS) bits, or a
/// P-256 key, whose numbers are known to belong together.
pub struct PrivateKey {
    material: Material,
    public_key: PublicKey,
}

/// Both wipe themselves.
pub(crate) enum Material {
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::SecretKey),
}

impl PrivateKey {
    /// Reads a private key out of a file's contents, whatever format they are in.
    ///
    /// The passphrase is asked for only when the key is encrypted. Decrypting takes a fraction of a second, by
    /// design of the encryption.
    ///
    /// # Errors
    /// When there is no private key that can be used, or it cannot be decrypted.
    pub fn parse(contents: &[u8], passphrase: Passphrase) -> Result<LoadedKey, KeyError> {
        parse::parse(contents, passphrase)
    }

    /// Reads a private key from a file or memory; blocks while it does.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`PrivateKey::parse`]; the message names the file.
    pub fn read(source: &KeySource, passphrase: Passphrase) -> Result<LoadedKey, SignerError> {
        let read = || {
            let contents = source.read()?;
            let mut loaded = parse::parse(&contents.bytes, passphrase)?;
            loaded.warnings.splice(0..0, contents.warning);
            Ok(loaded)
        };
        read().map_err(|error: KeyError| error.into_signer_error(source))
    }

    /// The algorithm that signatures by this key use.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public_key.algorithm()
    }

    /// The key's size in bits: of the modulus for RSA, of the field for P-256.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.public_key.bits()
    }

    /// The public half, computed from the private one.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    pub(crate) fn from_rsa(key: rsa::PrivateKey) -> Result<Self, KeyError> {
        let der = key.as_public_key().to_pkcs1_der().map_err(|_| KeyProblem::Library(ENCODE_PUBLIC))?;
        let public_key = PublicKey::from_pkcs1_der(der.as_bytes())
            .map_err(|cause| KeyError::with_source(KeyProblem::Library(READ_PUBLIC), cause))?;
        Ok(Self { material: Material::Rsa(Box::new(key)), public_key })
    }

    pub(crate) fn from_p256(key: p256::SecretKey) -> Result<Self, KeyError> {
        let der = key.public_key().to_public_key_der().map_err(|_| KeyProblem::Library(ENCODE_PUBLIC))?;
        let public_key = PublicKey::from_spki_der(der.as_bytes())
            .map_err(|cause| KeyError::with_source(KeyProblem::Library(READ_PUBLIC), cause))?;
        Ok(Self { material: Material::P256(key), public_key })
    }

    /// The public key as PKCS#8 version 2 holds it beside the private one.
    pub(crate) fn public_bits(&self) -> Vec<u8> {
        match &self.material {
            Material::Rsa(key) => {
                key.as_public_key().to_pkcs1_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default()
            }
            Material::P256(key) => key.public_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }
}

/// Shows the public half only.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

/// A key that was read, and what was noticed on the way.
#[derive(Debug)]
pub struct LoadedKey {
    key: PrivateKey,
    format: DetectedFormat,
    warnings: Vec<String>,
}

impl LoadedKey {
    pub(crate) fn new(key: PrivateKey, format: DetectedFormat, warnings: Vec<String>) -> Self {
        let warnings = warnings.into_iter().chain(weakness(&key)).collect();
        Self { key, format, warnings }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The key alone.
    #[must_use]
    pub fn into_key(self) -> PrivateKey {
        self.key
    }

    /// The format that the key was in.
    #[must_use]
    pub fn format(&self) -> &DetectedFormat {
        &self.format
    }

    /// What somebody should know and act upon, in full sentences without a full stop.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn weakness(key: &PrivateKey) -> Option<String> {
    let Material::Rsa(rsa) = &key.material else {
        return None;
    };
    let bits = rsa_parts::bits(rsa);
    (bits < RECOMMENDED_RSA_BITS).then(|| {
        format!(
            "RSA keys under {RECOMMENDED_RSA_BITS} bits no longer resist a determined attacker, and this one \
             has {bits}; ask SuperOffice for a new key pair for the application"
        )
    })
}

/// The minimum of NIST SP 800-131A since 2014, and of `aws-lc-rs`.
const RECOMMENDED_RSA_BITS: u32 = 2048;

const ENCODE_PUBLIC: &str = "the public key cannot be encoded";
const READ_PUBLIC: &str = "the public key is refused";
