//! How the token is asked to sign, and what it is given: a digest, wherever it takes one.

use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::mechanism::Mechanism as TokenMechanism;
use cryptoki_sys as sys;
use soticket_core::SigningAlgorithm;

use crate::fault::{Class, Fault};

/// A signing mechanism that gives the signature that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// `CKM_RSA_PKCS` over a `DigestInfo`.
    RsaPkcs,
    /// `CKM_SHA256_RSA_PKCS`, where the token hashes.
    Sha256RsaPkcs,
    /// `CKM_ECDSA` over a digest.
    Ecdsa,
    /// `CKM_ECDSA_SHA256`, where the token hashes.
    EcdsaSha256,
}

impl Mechanism {
    /// Those for `algorithm` that the token lists, the best first: a digest made here cannot be cut short there.
    pub(crate) fn listed(
        algorithm: SigningAlgorithm,
        listed: &[sys::CK_MECHANISM_TYPE],
    ) -> Result<Vec<Self>, Fault> {
        let wanted = match algorithm {
            SigningAlgorithm::Es256 => [Self::Ecdsa, Self::EcdsaSha256],
            _ => [Self::RsaPkcs, Self::Sha256RsaPkcs],
        };
        let usable: Vec<_> =
            wanted.into_iter().filter(|mechanism| listed.contains(&mechanism.token_type())).collect();
        if usable.is_empty() {
            let [first, second] = wanted.map(Self::name);
            return Err(Fault::new(
                Class::Key,
                format!("the token lists neither {first} nor {second}; have one of them allowed"),
            ));
        }
        Ok(usable)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs => "CKM_RSA_PKCS",
            Self::Sha256RsaPkcs => "CKM_SHA256_RSA_PKCS",
            Self::Ecdsa => "CKM_ECDSA",
            Self::EcdsaSha256 => "CKM_ECDSA_SHA256",
        }
    }

    pub(crate) fn for_token(self) -> TokenMechanism<'static> {
        match self {
            Self::RsaPkcs => TokenMechanism::RsaPkcs,
            Self::Sha256RsaPkcs => TokenMechanism::Sha256RsaPkcs,
            Self::Ecdsa => TokenMechanism::Ecdsa,
            Self::EcdsaSha256 => TokenMechanism::EcdsaSha256,
        }
    }

    fn token_type(self) -> sys::CK_MECHANISM_TYPE {
        match self {
            Self::RsaPkcs => sys::CKM_RSA_PKCS,
            Self::Sha256RsaPkcs => sys::CKM_SHA256_RSA_PKCS,
            Self::Ecdsa => sys::CKM_ECDSA,
            Self::EcdsaSha256 => sys::CKM_ECDSA_SHA256,
        }
    }
}

/// What is to be signed, in the form that one mechanism takes.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    digest: [u8; DIGEST_BYTES],
    for_token: Vec<u8>,
}

impl Payload {
    /// Hashes `message`; it is copied only if the token hashes too.
    pub(crate) fn new(mechanism: Mechanism, message: &[u8]) -> Self {
        let mut hash = [0; DIGEST_BYTES];
        hash.iter_mut().zip(digest(&SHA256, message).as_ref()).for_each(|(to, from)| *to = *from);
        let for_token = match mechanism {
            Mechanism::RsaPkcs => [&SHA256_DIGEST_INFO[..], &hash[..]].concat(),
            Mechanism::Ecdsa => hash.to_vec(),
            Mechanism::Sha256RsaPkcs | Mechanism::EcdsaSha256 => message.to_vec(),
        };
        Self { digest: hash, for_token }
    }

    pub(crate) fn digest(&self) -> &[u8; DIGEST_BYTES] {
        &self.digest
    }

    pub(crate) fn for_token(&self) -> &[u8] {
        &self.for_token
    }
}

const DIGEST_BYTES: usize = 32;

/// What stands before a SHA-256 digest in a PKCS#1 v1.5 signature (RFC 8017, section 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mechanism_that_takes_a_digest_comes_first() {
        let all = [sys::CKM_SHA256_RSA_PKCS, sys::CKM_RSA_PKCS, sys::CKM_ECDSA_SHA256, sys::CKM_ECDSA];
        let rsa = Mechanism::listed(SigningAlgorithm::Rs256, &all).unwrap();
        assert_eq!(rsa, [Mechanism::RsaPkcs, Mechanism::Sha256RsaPkcs]);
        let p256 = Mechanism::listed(SigningAlgorithm::Es256, &all).unwrap();
        assert_eq!(p256, [Mechanism::Ecdsa, Mechanism::EcdsaSha256]);
        let only = Mechanism::listed(SigningAlgorithm::Rs256, &[sys::CKM_SHA256_RSA_PKCS]).unwrap();
        assert_eq!(only, [Mechanism::Sha256RsaPkcs]);
    }

    #[test]
    fn a_token_without_a_mechanism_is_told_what_is_wanted() {
        let fault = Mechanism::listed(SigningAlgorithm::Rs256, &[sys::CKM_ECDSA]).unwrap_err();
        assert!(fault.message().contains("CKM_RSA_PKCS") && fault.message().contains("CKM_SHA256_RSA_PKCS"));
    }

    #[test]
    fn a_payload_is_what_its_mechanism_takes() {
        assert_eq!(Payload::new(Mechanism::Ecdsa, b"x").for_token().len(), 32);
        assert_eq!(Payload::new(Mechanism::RsaPkcs, b"x").for_token().len(), 19 + 32);
        assert_eq!(Payload::new(Mechanism::Sha256RsaPkcs, b"message").for_token(), b"message");
    }
}
