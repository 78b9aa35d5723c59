//! DER: tells the structures apart by the tags of their members, then reads the one that it is.

use std::borrow::Cow;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Tag, Tagged};
use pkcs8::PrivateKeyInfoRef;

use super::{encrypted, unneeded_passphrase};
use crate::error::{KeyError, KeyProblem};
use crate::format::{Container, DetectedFormat, Encoding};
use crate::mistake::Mistake;
use crate::passphrase::Passphrase;
use crate::private_key::{LoadedKey, PrivateKey};
use crate::rsa_parts::RsaParts;

/// Reads a private key in PKCS#8, encrypted PKCS#8, PKCS#1 or SEC1.
pub(super) fn parse(bytes: &[u8], encoding: Encoding, passphrase: Passphrase) -> Result<LoadedKey, KeyError> {
    match Shape::of(bytes)? {
        Shape::EncryptedPkcs8 => {
            let decrypted = encrypted::decrypt(bytes, passphrase)?;
            let key = decrypted_pkcs8(&decrypted.plaintext)?;
            let format = DetectedFormat::new(Container::Pkcs8, encoding).with_encryption(decrypted.scheme);
            Ok(LoadedKey::new(key, format, decrypted.warning.into_iter().collect()))
        }
        Shape::Private(container) => {
            let key = match container {
                Container::Pkcs1 => PrivateKey::from_rsa(rsa(bytes)?)?,
                Container::Sec1 => sec1(bytes)?,
                _ => pkcs8(bytes)?,
            };
            let format = DetectedFormat::new(container, encoding);
            Ok(LoadedKey::new(key, format, unneeded_passphrase(&passphrase)))
        }
    }
}

/// Reads `PrivateKeyInfo`.
pub(crate) fn pkcs8(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    let info = PrivateKeyInfoRef::from_der(bytes).map_err(damaged(Container::Pkcs8))?;
    let key = match info.algorithm.oid {
        RSA => PrivateKey::from_rsa(rsa(info.private_key.as_bytes())?)?,
        EC => ec_in_pkcs8(&info)?,
        other => return Err(KeyProblem::Unsupported(kind_of_key(other).into_owned()).into()),
    };
    match info.public_key.map(|bits| bits.raw_bytes() == key.public_bits().as_slice()) {
        Some(false) => {
            Err(KeyProblem::Inconsistent("the public key beside the private one is another's").into())
        }
        _ => Ok(key),
    }
}

/// A wrong passphrase sometimes yields a plausible padding; what it yields is then no key.
fn decrypted_pkcs8(plaintext: &[u8]) -> Result<PrivateKey, KeyError> {
    match Shape::of(plaintext) {
        Ok(Shape::Private(Container::Pkcs8)) => pkcs8(plaintext),
        _ => Err(KeyProblem::PassphraseWrong.into()),
    }
}

fn rsa(bytes: &[u8]) -> Result<rsa::PrivateKey, KeyError> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(bytes).map_err(damaged(Container::Pkcs1))?;
    if key.other_prime_infos.is_some() {
        return Err(KeyProblem::Unsupported("an RSA key of more than two primes".to_owned()).into());
    }
    RsaParts {
        modulus: key.modulus.as_bytes(),
        public_exponent: key.public_exponent.as_bytes(),
        private_exponent: key.private_exponent.as_bytes(),
        p: Some(key.prime1.as_bytes()),
        q: Some(key.prime2.as_bytes()),
        dp: Some(key.exponent1.as_bytes()),
        dq: Some(key.exponent2.as_bytes()),
        q_inverse: Some(key.coefficient.as_bytes()),
    }
    .into_key()
}

fn ec_in_pkcs8(info: &PrivateKeyInfoRef<'_>) -> Result<PrivateKey, KeyError> {
    check_curve(info.algorithm.parameters_oid().ok())?;
    let key = sec1::EcPrivateKey::from_der(info.private_key.as_bytes()).map_err(damaged(Container::Pkcs8))?;
    ec(key)
}

fn sec1(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    if has_explicit_curve(bytes) {
        check_curve(None)?;
    }
    let key = sec1::EcPrivateKey::from_der(bytes).map_err(damaged(Container::Sec1))?;
    if key.parameters.is_some() || key.public_key.is_none() {
        check_curve(key.parameters.and_then(sec1::EcParameters::named_curve))?;
    }
    ec(key)
}

fn ec(key: sec1::EcPrivateKey<'_>) -> Result<PrivateKey, KeyError> {
    if key.private_key.len() != P256_BYTES {
        return Err(KeyProblem::Inconsistent("a P-256 private key has 32 bytes").into());
    }
    let secret = p256::SecretKey::try_from(key).map_err(|cause| {
        let what = "the private key is out of range, or another's than the public key beside it";
        KeyError::with_source(KeyProblem::Inconsistent(what), cause)
    })?;
    PrivateKey::from_p256(secret)
}

/// Whether the parameters `[0]` spell out a curve instead of naming one.
fn has_explicit_curve(bytes: &[u8]) -> bool {
    let spelled_out = |member: &AnyRef<'_>| {
        member.tag().is_context_specific() && member.value().first() == Some(&super::DER_SEQUENCE)
    };
    members(bytes).is_ok_and(|members| members.iter().any(spelled_out))
}

fn check_curve(curve: Option<ObjectIdentifier>) -> Result<(), KeyError> {
    let found = match curve {
        Some(P256) => return Ok(()),
        Some(other) => format!("an EC key on {}", curve_name(other)),
        None => "an EC key that does not name its curve".to_owned(),
    };
    Err(KeyProblem::Unsupported(found).into())
}

fn damaged(container: Container) -> impl Fn(der::Error) -> KeyError {
    move |cause| KeyError::with_source(KeyProblem::Damaged(container), cause)
}

/// The structures that hold a private key which is read here.
enum Shape {
    Private(Container),
    EncryptedPkcs8,
}

impl Shape {
    fn of(bytes: &[u8]) -> Result<Self, KeyError> {
        let members =
            members(bytes).map_err(|cause| KeyError::with_source(KeyProblem::NotRecognised, cause))?;
        let tags: Vec<Tag> = members.iter().map(Tagged::tag).collect();
        match tags.as_slice() {
            [Tag::Integer, Tag::Sequence, Tag::OctetString, ..] => Ok(Self::Private(Container::Pkcs8)),
            [Tag::Integer, Tag::OctetString, ..] => Ok(Self::Private(Container::Sec1)),
            [Tag::Sequence, Tag::OctetString] => Ok(Self::EncryptedPkcs8),
            [Tag::Integer, rest @ ..]
                if rest.len() >= PKCS1_NUMBERS && all_integers(&rest[..PKCS1_NUMBERS]) =>
            {
                Ok(Self::Private(Container::Pkcs1))
            }
            all if all.len() == DSA_NUMBERS && all_integers(all) => {
                Err(KeyProblem::Unsupported("a DSA key".to_owned()).into())
            }
            tags => {
                Err(mistake(tags, &members).map_or_else(|| KeyProblem::NotRecognised.into(), KeyError::from))
            }
        }
    }
}

fn mistake(tags: &[Tag], members: &[AnyRef<'_>]) -> Option<Mistake> {
    match tags {
        [Tag::Integer, Tag::Integer] | [Tag::Sequence, Tag::BitString] => Some(Mistake::PublicKey),
        [Tag::Sequence, Tag::Sequence, Tag::BitString] => {
            // What is signed has three or four members in a request, six or more in a certificate.
            let signed = members.first().and_then(|signed| parts(*signed).ok())?;
            Some(if signed.len() <= REQUEST_MEMBERS {
                Mistake::CertificateRequest
            } else {
                Mistake::Certificate
            })
        }
        [Tag::Integer, Tag::Sequence, ..] => Some(Mistake::Pkcs12),
        [Tag::ObjectIdentifier, ..] => Some(Mistake::Pkcs7),
        _ => None,
    }
}

fn all_integers(tags: &[Tag]) -> bool {
    tags.iter().all(|tag| *tag == Tag::Integer)
}

fn members(bytes: &[u8]) -> der::Result<Vec<AnyRef<'_>>> {
    parts(AnyRef::from_der(bytes)?)
}

fn parts(sequence: AnyRef<'_>) -> der::Result<Vec<AnyRef<'_>>> {
    sequence.sequence(|reader| {
        let mut members = Vec::new();
        while !der::Reader::is_finished(reader) && members.len() < MAX_MEMBERS {
            members.push(AnyRef::decode(reader)?);
        }
        while !der::Reader::is_finished(reader) {
            AnyRef::decode(reader)?;
        }
        Ok::<_, der::Error>(members)
    })
}

fn kind_of_key(algorithm: ObjectIdentifier) -> Cow<'static, str> {
    let known = KINDS.iter().find(|(oid, _)| *oid == algorithm);
    known.map_or_else(|| format!("a key of the algorithm {algorithm}").into(), |(_, name)| (*name).into())
}

fn curve_name(curve: ObjectIdentifier) -> Cow<'static, str> {
    let known = CURVES.iter().find(|(oid, _)| *oid == curve);
    known.map_or_else(|| format!("the curve {curve}").into(), |(_, name)| (*name).into())
}

const RSA: ObjectIdentifier = pkcs1::ALGORITHM_OID;
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P256_BYTES: usize = 32;

const KINDS: [(ObjectIdentifier, &str); 8] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"), "an RSA key restricted to PSS signatures"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.7"), "an RSA key restricted to OAEP encryption"),
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"), "a DSA key"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.3.1"), "a Diffie-Hellman key"),
    (ObjectIdentifier::new_unwrap("1.3.101.110"), "an X25519 key"),
    (ObjectIdentifier::new_unwrap("1.3.101.111"), "an X448 key"),
    (ObjectIdentifier::new_unwrap("1.3.101.112"), "an Ed25519 key"),
    (ObjectIdentifier::new_unwrap("1.3.101.113"), "an Ed448 key"),
];

const CURVES: [(ObjectIdentifier, &str); 5] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.1"), "P-192"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.33"), "P-224"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "P-384"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "P-521"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), "secp256k1"),
];

/// The numbers of an RSA key after the version: n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p.
const PKCS1_NUMBERS: usize = 8;
/// The numbers of a DSA key in OpenSSL's own format, the version among them.
const DSA_NUMBERS: usize = 6;
/// Version, subject, key and attributes.
const REQUEST_MEMBERS: usize = 4;
/// More members than any structure that is told apart here has.
const MAX_MEMBERS: usize = 16;
