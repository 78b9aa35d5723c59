//! The public half of a signing key: parsed once, fingerprinted, and used to verify what a signer returns.

mod reader;

pub use reader::{ReadPublicKeyError, read_all};

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    VerificationAlgorithm,
};
use pkcs1::der::asn1::BitStringRef;
use pkcs1::der::{Decode, Encode, pem};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use thiserror::Error;

use crate::signer::{Signature, SigningAlgorithm};

/// A public key of an algorithm that a signer may use, as SubjectPublicKeyInfo.
///
/// Cheap to clone. Equality is equality of the DER encoding.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: SigningAlgorithm,
    bits: u32,
    spki: Arc<[u8]>,
    parsed: Arc<ParsedPublicKey>,
}

impl PublicKey {
    /// Reads a DER-encoded SubjectPublicKeyInfo (RFC 5280) holding an RSA key of 1024 to 8192 bits, or a P-256 key.
    ///
    /// # Errors
    /// When the bytes are no SubjectPublicKeyInfo, or the key is of another kind or size.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(der)?;
        let (algorithm, bits) = algorithm_and_bits(&info)?;
        let parsed = ParsedPublicKey::new(verification_algorithm(algorithm), der)
            .map_err(|rejected| PublicKeyError::Rejected { bits, reason: rejected.to_string() })?;
        Ok(Self { algorithm, bits, spki: der.into(), parsed: Arc::new(parsed) })
    }

    /// Reads a DER-encoded PKCS#1 `RSAPublicKey` (RFC 8017).
    ///
    /// # Errors
    /// As [`PublicKey::from_spki_der`].
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let info = SubjectPublicKeyInfoRef {
            algorithm: pkcs1::ALGORITHM_ID,
            subject_public_key: BitStringRef::from_bytes(der)?,
        };
        Self::from_spki_der(&info.to_der()?)
    }

    /// Reads a PEM block `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY` (PKCS#1).
    ///
    /// # Errors
    /// When there is no such block, or as [`PublicKey::from_spki_der`].
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        let (label, der) = pem::decode_vec(text.trim().as_bytes()).map_err(|_| PublicKeyError::NotPem)?;
        match label {
            "PUBLIC KEY" => Self::from_spki_der(&der),
            "RSA PUBLIC KEY" => Self::from_pkcs1_der(&der),
            _ => Err(PublicKeyError::NotPem),
        }
    }

    /// The algorithm that signatures by this key's private half use.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key's size in bits: of the modulus for RSA, of the field for P-256.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The key as DER-encoded SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The key as a PEM block `PUBLIC KEY`, with a final line feed.
    #[must_use]
    pub fn to_pem(&self) -> String {
        // Encoding fails only for an invalid label, and this one is a valid constant.
        pem::encode_string("PUBLIC KEY", pem::LineEnding::LF, &self.spki).unwrap_or_default()
    }

    /// SHA-256 over the SubjectPublicKeyInfo, as lower-case hexadecimal; the form of `openssl pkey -pubin -outform DER | sha256sum`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.spki);
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Checks that `signature` was made over `message` by this key's private half.
    ///
    /// # Errors
    /// [`SignatureMismatch`], which says nothing more, whatever the reason.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureMismatch> {
        self.parsed.verify_sig(message, signature.as_bytes()).map_err(|_| SignatureMismatch)
    }

    /// As [`verify`](Self::verify), for a message of which the SHA-256 digest is at hand; for signers, which
    /// hash a message once and let go of it.
    ///
    /// # Errors
    /// [`SignatureMismatch`], whatever the reason.
    pub fn verify_sha256(&self, digest: &[u8; 32], signature: &Signature) -> Result<(), SignatureMismatch> {
        let digest =
            digest::Digest::import_less_safe(digest, &digest::SHA256).map_err(|_| SignatureMismatch)?;
        self.parsed.verify_digest_sig(&digest, signature.as_bytes()).map_err(|_| SignatureMismatch)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("algorithm", &self.algorithm)
            .field("bits", &self.bits)
            .field("sha256", &self.fingerprint())
            .finish()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

/// The signature does not verify under the public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature does not verify under the public key")]
pub struct SignatureMismatch;

/// Why bytes are not a public key that can be used here.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// No PEM block `PUBLIC KEY` or `RSA PUBLIC KEY`.
    #[error("no PEM block `PUBLIC KEY` or `RSA PUBLIC KEY` found")]
    NotPem,
    /// The DER cannot be read.
    #[error("not a public key in DER (SubjectPublicKeyInfo or PKCS#1)")]
    Malformed(#[from] pkcs1::der::Error),
    /// A key of an algorithm or curve other than RSA and P-256.
    #[error("a key of algorithm {0} cannot be used; only RSA and P-256 can")]
    Unsupported(ObjectIdentifier),
    /// The cryptographic library refuses the key.
    #[error("a key of {bits} bits was rejected as {reason}; RSA takes 1024 to 8192 bits")]
    Rejected {
        /// The size that was read.
        bits: u32,
        /// The library's one-word reason.
        reason: String,
    },
}

fn verification_algorithm(algorithm: SigningAlgorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        // SuperOffice's older partner keys have 1024 bits.
        SigningAlgorithm::Rs256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        SigningAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
    }
}

fn algorithm_and_bits(info: &SubjectPublicKeyInfoRef<'_>) -> Result<(SigningAlgorithm, u32), PublicKeyError> {
    match info.algorithm.oid {
        pkcs1::ALGORITHM_OID => {
            let key = pkcs1::RsaPublicKeyRef::from_der(info.subject_public_key.raw_bytes())?;
            Ok((SigningAlgorithm::Rs256, modulus_bits(key.modulus.as_bytes())))
        }
        EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
            Ok(P256) => Ok((SigningAlgorithm::Es256, P256_BITS)),
            Ok(other) => Err(PublicKeyError::Unsupported(other)),
            Err(_) => Err(PublicKeyError::Unsupported(EC_PUBLIC_KEY)),
        },
        other => Err(PublicKeyError::Unsupported(other)),
    }
}

fn modulus_bits(modulus: &[u8]) -> u32 {
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(modulus.len()).unwrap_or(u32::MAX).saturating_mul(u8::BITS).saturating_sub(leading)
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P256_BITS: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! testdata {
        ($name:literal) => {
            include_str!(concat!("../testdata/", $name))
        };
    }

    #[test]
    fn keys_are_read_in_both_forms_with_their_sizes() {
        for (pem, bits) in [
            (testdata!("rsa1024.pub.pem"), 1024),
            (testdata!("rsa2048.pub.pem"), 2048),
            (testdata!("rsa4096.pub.pem"), 4096),
            (testdata!("p256.pub.pem"), 256),
        ] {
            let key = PublicKey::from_pem(pem).unwrap();
            assert_eq!(key.bits(), bits);
            assert_eq!(key.to_pem(), pem, "openssl's own bytes come back");
        }
        let pkcs1 = PublicKey::from_pem(testdata!("rsa2048.pkcs1-pub.pem")).unwrap();
        assert_eq!(pkcs1, PublicKey::from_pem(testdata!("rsa2048.pub.pem")).unwrap());
    }

    #[test]
    fn other_keys_are_refused_by_name() {
        let error = |pem| PublicKey::from_pem(pem).unwrap_err();
        assert!(matches!(error(testdata!("p384.pub.pem")), PublicKeyError::Unsupported(_)));
        assert!(matches!(error(testdata!("ed25519.pub.pem")), PublicKeyError::Unsupported(_)));
        assert!(matches!(error(testdata!("rsa2048.cert.pem")), PublicKeyError::NotPem));
        assert!(matches!(error("hello"), PublicKeyError::NotPem));
        assert!(matches!(PublicKey::from_spki_der(&[0x30, 0]), Err(PublicKeyError::Malformed(_))));
    }
}
