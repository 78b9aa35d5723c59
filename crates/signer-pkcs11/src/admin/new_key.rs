//! A key pair made inside the token, which the private half never leaves.

use aws_lc_rs::rand;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use der::Encode as _;
use soticket_core::SignerError;
use spki::ObjectIdentifier;

use super::listed;
use crate::access::TokenAccess;
use crate::admin::ListedKey;
use crate::attributes::Object;
use crate::builder::DEFAULT_BUILD_DEADLINE;
use crate::fault::{Class, Fault};
use crate::key::{self, FoundKey};
use crate::module::{Access, OpenSession};
use crate::opening::on_own_thread;
use crate::token::TokenInfo;
use crate::uri::{ObjectAttributes, encoded_id};

/// The kinds of keys that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum NewKeyType {
    /// RSA with a modulus of 2048 bits.
    #[default]
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// P-256, which SuperOffice does not take.
    P256,
}

impl TokenAccess {
    /// Makes a key pair in the token that the URI names, under its `object` and `id`: sensitive, not extractable, for
    /// signing only. Without an `id`, a random one is chosen.
    ///
    /// # Errors
    /// When the URI names no `object`, when there is a key of that label or id already, or when the token refuses;
    /// then nothing is left in the token.
    pub async fn generate(self, key_type: NewKeyType) -> Result<(TokenInfo, ListedKey), SignerError> {
        on_own_thread(DEFAULT_BUILD_DEADLINE, move || {
            let wanted = self.uri.object.clone();
            self.with_session(Access::Write, move |_, open| generate(open, wanted, key_type))
        })
        .await
    }
}

fn generate(open: &OpenSession, wanted: ObjectAttributes, key_type: NewKeyType) -> Result<ListedKey, Fault> {
    let identity = Identity::free(open, wanted, random_id)?;
    let (mechanism, of_type) = match key_type {
        NewKeyType::Rsa2048 => (Mechanism::RsaPkcsKeyPairGen, rsa(2048)),
        NewKeyType::Rsa3072 => (Mechanism::RsaPkcsKeyPairGen, rsa(3072)),
        NewKeyType::Rsa4096 => (Mechanism::RsaPkcsKeyPairGen, rsa(4096)),
        NewKeyType::P256 => (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(p256_parameters()?)]),
    };
    let public = [identity.public(), of_type].concat();
    let made = open.session.generate_key_pair(&mechanism, &public, &identity.private());
    let (_, private) = made.map_err(|error| Fault::of_call("the token makes no key", error.into()))?;
    let found = FoundKey::read(&Object { session: &open.session, handle: private })?;
    listed(open, found)
}

/// The label and id of a key that is not there yet.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    label: String,
    id: Vec<u8>,
}

impl Identity {
    /// The identity that the URI wants, if nothing has it; `choose` gives an id where the URI has none.
    pub(super) fn free(
        open: &OpenSession,
        wanted: ObjectAttributes,
        choose: impl FnOnce() -> Result<Vec<u8>, Fault>,
    ) -> Result<Self, Fault> {
        let Some(label) = wanted.label else {
            return Err(Fault::configuration(
                "the URI does not say what the new key is called; add `object=` with a label, such as `object=partner`",
            ));
        };
        let id = wanted.id.map_or_else(choose, Ok)?;
        let by_label = ObjectAttributes { label: Some(label.clone()), id: None };
        let by_id = ObjectAttributes { label: None, id: Some(id.clone()) };
        for taken in [by_label, by_id] {
            if let Some(there) = key::matching(&open.session, &taken)?.first() {
                return Err(Fault::new(
                    Class::Request,
                    format!(
                        "the token has a key {there} already, which is left alone; choose another `object` and `id`"
                    ),
                ));
            }
        }
        tracing::debug!(label, id = encoded_id(&id), "a new key's name is free");
        Ok(Self { label, id })
    }

    pub(super) fn public(&self) -> Vec<Attribute> {
        let own = [Attribute::Token(true), Attribute::Private(false), Attribute::Verify(true)];
        self.named(own)
    }

    pub(super) fn private(&self) -> Vec<Attribute> {
        let own = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        self.named(own)
    }

    fn named<const N: usize>(&self, own: [Attribute; N]) -> Vec<Attribute> {
        let names = [Attribute::Label(self.label.as_bytes().to_vec()), Attribute::Id(self.id.clone())];
        own.into_iter().chain(names).collect()
    }
}

fn rsa(bits: u64) -> Vec<Attribute> {
    // Ulong is as wide as the platform's, and these numbers fit any.
    let bits = cryptoki::types::Ulong::from(bits as cryptoki_sys::CK_ULONG);
    vec![Attribute::ModulusBits(bits), Attribute::PublicExponent(RSA_EXPONENT.to_vec())]
}

pub(super) fn p256_parameters() -> Result<Vec<u8>, Fault> {
    P256.to_der()
        .map_err(|error| Fault::new(Class::Bug, format!("the curve's name cannot be written: {error}")))
}

fn random_id() -> Result<Vec<u8>, Fault> {
    let mut id = vec![0; ID_BYTES];
    rand::fill(&mut id).map_err(|_| Fault::new(Class::Bug, "the system has no randomness to give"))?;
    Ok(id)
}

const ID_BYTES: usize = 8;
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
