//! The private key in the form that signs: held by `aws-lc-rs`, or by `rsa` where that refuses.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};
use soticket_core::{Signature, SignerError, SignerErrorKind};

use crate::error::{KeyError, KeyProblem};
use crate::private_key::{Material, PrivateKey};
use crate::rsa_parts;

/// The smallest RSA key that `aws-lc-rs` signs with, in bits.
pub(crate) const MIN_AWS_LC_RSA_BITS: u32 = 2048;

pub(crate) enum Engine {
    Rsa(RsaKeyPair),
    /// Blinds with the system's random numbers; about ten times slower at equal size, yet these keys are small.
    SmallRsa(Box<SigningKey<Sha256>>),
    P256(EcdsaKeyPair),
}

impl Engine {
    pub(crate) fn new(key: &PrivateKey) -> Result<Self, KeyError> {
        match key.material() {
            Material::Rsa(rsa) if rsa_parts::bits(rsa) < MIN_AWS_LC_RSA_BITS => {
                Ok(Self::SmallRsa(Box::new(SigningKey::new((**rsa).clone()))))
            }
            Material::Rsa(_) => {
                let pair = RsaKeyPair::from_pkcs8(&key.to_pkcs8_der()?);
                pair.map(Self::Rsa).map_err(|cause| rejected("it refuses the RSA key", cause))
            }
            Material::P256(_) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.to_pkcs8_der()?);
                pair.map(Self::P256).map_err(|cause| rejected("it refuses the P-256 key", cause))
            }
        }
    }

    /// Signs in the form that [`Signature`] documents.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(failed)?;
                Ok(Signature::from_bytes(signature))
            }
            Self::SmallRsa(key) => {
                Ok(Signature::from_bytes(key.try_sign(message).map_err(failed)?.to_bytes()))
            }
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                Ok(Signature::from_bytes(signature.as_ref()))
            }
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa(_) => "aws-lc-rs RSA",
            Self::SmallRsa(_) => "rsa",
            Self::P256(_) => "aws-lc-rs P-256",
        })
    }
}

fn rejected(what: &'static str, cause: aws_lc_rs::error::KeyRejected) -> KeyError {
    KeyError::with_source(KeyProblem::Library(what), cause)
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> SignerError {
    SignerError::new(SignerErrorKind::Bug, "the cryptographic library failed to sign; report it")
        .with_source(cause)
}
