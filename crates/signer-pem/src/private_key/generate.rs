//! New keys, from `aws-lc-rs`.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use super::PrivateKey;
use crate::error::{KeyError, KeyProblem};
use crate::parse::der;

/// The kinds of key that can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA with 2048 bits, the size that SuperOffice uses.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// ECDSA on P-256.
    P256,
}

impl KeyType {
    /// All of them, for a list of choices.
    pub const ALL: [Self; 4] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::P256];

    /// Its name: `rsa2048`, `rsa3072`, `rsa4096` or `p256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::P256 => "p256",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyType {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = || KeyProblem::UnknownKeyType(name.to_owned()).into();
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(unknown)
    }
}

impl PrivateKey {
    /// Makes a new key; an RSA key of 4096 bits takes up to some seconds.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn generate(kind: KeyType) -> Result<Self, KeyError> {
        match kind {
            KeyType::Rsa2048 => generate_rsa(KeySize::Rsa2048),
            KeyType::Rsa3072 => generate_rsa(KeySize::Rsa3072),
            KeyType::Rsa4096 => generate_rsa(KeySize::Rsa4096),
            KeyType::P256 => generate_p256(),
        }
    }
}

fn generate_rsa(size: KeySize) -> Result<PrivateKey, KeyError> {
    let pair = RsaKeyPair::generate(size).map_err(failed)?;
    let encoded: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    der::pkcs8(encoded.as_ref())
}

fn generate_p256() -> Result<PrivateKey, KeyError> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
    let encoded = pair.to_pkcs8v1().map_err(failed)?;
    der::pkcs8(encoded.as_ref())
}

fn failed(cause: aws_lc_rs::error::Unspecified) -> KeyError {
    KeyError::with_source(KeyProblem::Library("it cannot generate a key"), cause)
}
