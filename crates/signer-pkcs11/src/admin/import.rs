//! A key that moves into the token from outside.

use cryptoki::object::{Attribute, KeyType, ObjectClass};
use der::asn1::OctetStringRef;
use der::{Decode as _, Encode as _};
use pkcs8::PrivateKeyInfoRef;
use soticket_core::{PublicKey, SignerError, SignerErrorKind};
use spki::ObjectIdentifier;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::new_key::{Identity, p256_parameters};
use super::{ListedKey, listed, roll_back};
use crate::access::TokenAccess;
use crate::attributes::Object;
use crate::builder::DEFAULT_BUILD_DEADLINE;
use crate::fault::Fault;
use crate::key::FoundKey;
use crate::module::{Access, OpenSession};
use crate::opening::on_own_thread;
use crate::public::EC_PUBLIC_KEY;
use crate::token::TokenInfo;
use crate::uri::ObjectAttributes;

/// Why a key outside cannot be taken into a token.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportKeyError {
    /// No PKCS#8.
    #[error("the key is no PKCS#8 in DER")]
    NotPkcs8,
    /// A key of another kind.
    #[error("keys of algorithm {0} cannot be taken in; only RSA and P-256 can")]
    Unsupported(ObjectIdentifier),
    /// An elliptic-curve key without its public half.
    #[error("the elliptic-curve key lacks its public half; convert it to PKCS#8 with one")]
    NoPublicHalf,
}

impl From<ImportKeyError> for SignerError {
    fn from(error: ImportKeyError) -> Self {
        Self::new(SignerErrorKind::Key, "the key cannot be taken into a token").with_source(error)
    }
}

impl TokenAccess {
    /// Copies a private key (PKCS#8 in DER, RSA or P-256) into the token that the URI names, under its `object` and
    /// `id`: sensitive, not extractable, for signing only, with its public half beside it. Without an `id`, the
    /// fingerprint of the public half is taken.
    ///
    /// That the token signs with it is not tried here: build a signer for that, and compare its public key.
    ///
    /// # Errors
    /// When the URI names no `object`, when there is a key of that label or id already, or when the token refuses;
    /// then nothing is left in the token.
    pub async fn import(self, pkcs8: Zeroizing<Vec<u8>>) -> Result<(TokenInfo, ListedKey), SignerError> {
        on_own_thread(DEFAULT_BUILD_DEADLINE, move || {
            let material = Material::read(&pkcs8)?;
            drop(pkcs8);
            let wanted = self.uri.object.clone();
            self.with_session(Access::Write, move |_, open| import(open, wanted, &material))
        })
        .await
    }
}

/// The key's numbers, wiped when they are dropped.
struct Material {
    public_key: PublicKey,
    private: Vec<Attribute>,
    public: Vec<Attribute>,
}

impl Material {
    fn read(pkcs8: &[u8]) -> Result<Self, ImportKeyError> {
        let info = PrivateKeyInfoRef::from_der(pkcs8).map_err(|_| ImportKeyError::NotPkcs8)?;
        match info.algorithm.oid {
            pkcs1::ALGORITHM_OID => Self::rsa(info.private_key.as_bytes()),
            EC_PUBLIC_KEY => Self::p256(info.private_key.as_bytes()),
            other => Err(ImportKeyError::Unsupported(other)),
        }
    }

    fn rsa(pkcs1: &[u8]) -> Result<Self, ImportKeyError> {
        let key = pkcs1::RsaPrivateKey::from_der(pkcs1).map_err(|_| ImportKeyError::NotPkcs8)?;
        let number = |number: pkcs1::UintRef<'_>| number.as_bytes().to_vec();
        let public_der = key.public_key().to_der().map_err(|_| ImportKeyError::NotPkcs8)?;
        let public_key = PublicKey::from_pkcs1_der(&public_der).map_err(|_| ImportKeyError::NotPkcs8)?;
        let public = vec![
            Attribute::KeyType(KeyType::RSA),
            Attribute::Modulus(number(key.modulus)),
            Attribute::PublicExponent(number(key.public_exponent)),
        ];
        // Moved and never copied: what is left behind by a copy is not wiped.
        let own = [
            Attribute::PrivateExponent(number(key.private_exponent)),
            Attribute::Prime1(number(key.prime1)),
            Attribute::Prime2(number(key.prime2)),
            Attribute::Exponent1(number(key.exponent1)),
            Attribute::Exponent2(number(key.exponent2)),
            Attribute::Coefficient(number(key.coefficient)),
        ];
        let private = public.iter().cloned().chain(own).collect();
        Ok(Self { public_key, private, public })
    }

    fn p256(sec1: &[u8]) -> Result<Self, ImportKeyError> {
        let key = sec1::EcPrivateKey::from_der(sec1).map_err(|_| ImportKeyError::NotPkcs8)?;
        let point = key.public_key.ok_or(ImportKeyError::NoPublicHalf)?;
        let parameters = p256_parameters().map_err(|_| ImportKeyError::NotPkcs8)?;
        let wrapped = OctetStringRef::new(point).and_then(|point| point.to_der());
        let wrapped = wrapped.map_err(|_| ImportKeyError::NotPkcs8)?;
        let public_key = crate::public::elliptic_curve(&parameters, &wrapped);
        let public_key = public_key.ok_or(ImportKeyError::Unsupported(EC_PUBLIC_KEY))?;
        let common = [Attribute::KeyType(KeyType::EC), Attribute::EcParams(parameters)];
        let own = Attribute::Value(key.private_key.to_vec());
        let private = common.iter().cloned().chain([own]).collect();
        let public = common.into_iter().chain([Attribute::EcPoint(wrapped)]).collect();
        Ok(Self { public_key, private, public })
    }
}

impl Drop for Material {
    fn drop(&mut self) {
        wipe(&mut self.private);
    }
}

fn import(open: &OpenSession, wanted: ObjectAttributes, material: &Material) -> Result<ListedKey, Fault> {
    let by_fingerprint = || Ok(fingerprint_id(&material.public_key));
    let identity = Identity::free(open, wanted, by_fingerprint)?;
    let refused =
        |error: cryptoki::error::Error| Fault::of_call("the token does not take the key in", error.into());
    let named = [vec![Attribute::Class(ObjectClass::PRIVATE_KEY)], identity.private()].concat();
    let mut template: Vec<_> = named.into_iter().chain(material.private.iter().cloned()).collect();
    let private = open.session.create_object(&template);
    wipe(&mut template);
    let private = private.map_err(refused)?;
    let template =
        [vec![Attribute::Class(ObjectClass::PUBLIC_KEY)], identity.public(), material.public.clone()]
            .concat();
    let public = open.session.create_object(&template).map_err(refused);
    let public = public.inspect_err(|_| roll_back(open, &[private]))?;
    let found = FoundKey::read(&Object { session: &open.session, handle: private });
    found.and_then(|found| listed(open, found)).inspect_err(|_| roll_back(open, &[private, public]))
}

/// Overwrites the numbers of a private key.
fn wipe(attributes: &mut [Attribute]) {
    for attribute in attributes {
        match attribute {
            Attribute::PrivateExponent(bytes)
            | Attribute::Prime1(bytes)
            | Attribute::Prime2(bytes)
            | Attribute::Exponent1(bytes)
            | Attribute::Exponent2(bytes)
            | Attribute::Coefficient(bytes)
            | Attribute::Value(bytes) => bytes.zeroize(),
            _ => {}
        }
    }
}

/// The same key gets the same id wherever it is taken in.
fn fingerprint_id(key: &PublicKey) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.spki_der());
    digest.as_ref().iter().copied().take(ID_BYTES).collect()
}

const ID_BYTES: usize = 8;
