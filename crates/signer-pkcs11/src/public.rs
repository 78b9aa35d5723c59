//! The public half of a private key, from wherever the token keeps it.

use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::Session;
use der::asn1::{BitStringRef, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _};
use soticket_core::{PublicKey, public_key};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::attributes::{Object, find};
use crate::fault::Fault;
use crate::key::FoundKey;

/// A public key and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) key: PublicKey,
    pub(crate) origin: Origin,
}

/// Where a public key came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    PublicObject,
    PrivateObject,
    Certificate,
    Options,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PublicObject => "the public key object with the same id",
            Self::PrivateObject => "the private key object's own attributes",
            Self::Certificate => "the certificate with the same id",
            Self::Options => "the file that was given",
        }
    }
}

/// Every public key that may belong to `private`, the likeliest first.
pub(crate) fn candidates(session: &Session, private: &FoundKey) -> Result<Vec<Candidate>, Fault> {
    let mut found = Vec::new();
    for handle in with_same_id(session, ObjectClass::PUBLIC_KEY, private)? {
        found.extend(of_key_object(&Object { session, handle })?.map(|key| (key, Origin::PublicObject)));
    }
    let own = of_key_object(&Object { session, handle: private.handle })?;
    found.extend(own.map(|key| (key, Origin::PrivateObject)));
    for handle in with_same_id(session, ObjectClass::CERTIFICATE, private)? {
        let der = Object { session, handle }.bytes(AttributeType::Value)?;
        let keys = der.and_then(|der| public_key::read_all(&der).ok()).unwrap_or_default();
        found.extend(keys.into_iter().map(|key| (key, Origin::Certificate)));
    }
    Ok(found.into_iter().map(|(key, origin)| Candidate { key, origin }).collect())
}

/// The public key in a key object's own attributes, if they hold one that can be used.
pub(crate) fn of_key_object(object: &Object<'_>) -> Result<Option<PublicKey>, Fault> {
    if let (Some(modulus), Some(exponent)) =
        (object.bytes(AttributeType::Modulus)?, object.bytes(AttributeType::PublicExponent)?)
    {
        return Ok(rsa(&modulus, &exponent));
    }
    if let (Some(parameters), Some(point)) =
        (object.bytes(AttributeType::EcParams)?, object.bytes(AttributeType::EcPoint)?)
    {
        return Ok(elliptic_curve(&parameters, &point));
    }
    let info = object.bytes(AttributeType::PublicKeyInfo)?;
    Ok(info.and_then(|der| PublicKey::from_spki_der(&der).ok()))
}

/// An object without an id belongs to no key for certain.
fn with_same_id(
    session: &Session,
    class: ObjectClass,
    private: &FoundKey,
) -> Result<Vec<cryptoki::object::ObjectHandle>, Fault> {
    if private.id.is_empty() {
        return Ok(Vec::new());
    }
    find(session, class, vec![Attribute::Id(private.id.clone())])
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<PublicKey> {
    let (modulus, public_exponent) = (UintRef::new(modulus).ok()?, UintRef::new(exponent).ok()?);
    let key = pkcs1::RsaPublicKeyRef { modulus, public_exponent };
    PublicKey::from_pkcs1_der(&key.to_der().ok()?).ok()
}

/// The point is a DER octet string by the specification, and bare in some modules.
pub(crate) fn elliptic_curve(parameters: &[u8], point: &[u8]) -> Option<PublicKey> {
    let curve: ObjectIdentifier = ObjectIdentifier::from_der(parameters).ok()?;
    let point = <&OctetStringRef>::from_der(point).map_or(point, |wrapped| wrapped.as_bytes());
    let info = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some((&curve).into()) },
        subject_public_key: BitStringRef::from_bytes(point).ok()?,
    };
    PublicKey::from_spki_der(&info.to_der().ok()?).ok()
}

pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
