//! The private key that a URI means: found, told apart from others, and judged fit to sign.

use std::fmt;

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use soticket_core::SigningAlgorithm;

use crate::attributes::{Object, find};
use crate::fault::{Class, Fault};
use crate::uri::{ObjectAttributes, encoded, encoded_id};

/// What the token says of a private key (PKCS#11 3.1, sections 4.7 and 4.9). `None`: it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KeyAttributes {
    /// `CKA_SENSITIVE`: the token does not show it in plain text.
    pub sensitive: Option<bool>,
    /// `CKA_EXTRACTABLE`: it can be taken out, wrapped by another key.
    pub extractable: Option<bool>,
    /// `CKA_LOCAL`: it was made in the token.
    pub local: Option<bool>,
    /// `CKA_ALWAYS_SENSITIVE`: it has been sensitive all its life.
    pub always_sensitive: Option<bool>,
    /// `CKA_NEVER_EXTRACTABLE`: it has never been extractable.
    pub never_extractable: Option<bool>,
    /// `CKA_ALWAYS_AUTHENTICATE`: each use wants the PIN again.
    pub always_authenticate: Option<bool>,
    /// `CKA_SIGN`: it may sign.
    pub sign: Option<bool>,
}

impl KeyAttributes {
    /// Whether the token gives the key out, in plain text or wrapped; what it does not say counts against it.
    #[must_use]
    pub fn can_leave(&self) -> bool {
        self.extractable != Some(false) || self.sensitive != Some(true)
    }

    /// Whether the key was somewhere else before, so that copies may exist.
    #[must_use]
    pub fn was_imported(&self) -> bool {
        [self.local, self.always_sensitive, self.never_extractable].contains(&Some(false))
    }

    /// Names and values, as the specification writes them.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Option<bool>)> {
        [
            ("CKA_SENSITIVE", self.sensitive),
            ("CKA_EXTRACTABLE", self.extractable),
            ("CKA_LOCAL", self.local),
            ("CKA_ALWAYS_SENSITIVE", self.always_sensitive),
            ("CKA_NEVER_EXTRACTABLE", self.never_extractable),
            ("CKA_ALWAYS_AUTHENTICATE", self.always_authenticate),
            ("CKA_SIGN", self.sign),
        ]
        .into_iter()
    }

    pub(crate) fn read(key: &Object<'_>) -> Result<Self, Fault> {
        Ok(Self {
            sensitive: key.flag(AttributeType::Sensitive)?,
            extractable: key.flag(AttributeType::Extractable)?,
            local: key.flag(AttributeType::Local)?,
            always_sensitive: key.flag(AttributeType::AlwaysSensitive)?,
            never_extractable: key.flag(AttributeType::NeverExtractable)?,
            always_authenticate: key.flag(AttributeType::AlwaysAuthenticate)?,
            sign: key.flag(AttributeType::Sign)?,
        })
    }
}

/// A private key that was found.
#[derive(Debug, Clone)]
pub(crate) struct FoundKey {
    pub(crate) handle: ObjectHandle,
    pub(crate) label: String,
    pub(crate) id: Vec<u8>,
}

impl FoundKey {
    pub(crate) fn read(object: &Object<'_>) -> Result<Self, Fault> {
        Ok(Self { handle: object.handle, label: object.label()?, id: object.id()? })
    }

    /// The path attributes of a URI that names this key.
    pub(crate) fn uri_attributes(&self) -> String {
        let label = (!self.label.is_empty()).then(|| format!("object={}", encoded(self.label.as_bytes())));
        let id = (!self.id.is_empty()).then(|| format!("id={}", encoded_id(&self.id)));
        label.into_iter().chain(id).collect::<Vec<_>>().join(";")
    }
}

impl fmt::Display for FoundKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.uri_attributes())
    }
}

/// The one private key that `wanted` means.
pub(crate) fn select(session: &Session, wanted: &ObjectAttributes) -> Result<FoundKey, Fault> {
    let mut found = matching(session, wanted)?;
    match (found.len(), found.pop()) {
        (1, Some(key)) => Ok(key),
        (0, _) | (_, None) => Err(none_found(session, wanted)),
        (count, Some(last)) => Err(Fault::new(
            Class::Key,
            format!(
                "{count} private keys match the URI: {}; name one by `object=` and `id=`, and if these are the same \
                 give one of the keys another id",
                listed(found.iter().chain([&last]))
            ),
        )),
    }
}

/// All private keys that `wanted` means.
pub(crate) fn matching(session: &Session, wanted: &ObjectAttributes) -> Result<Vec<FoundKey>, Fault> {
    let label = wanted.label.as_ref().map(|label| Attribute::Label(label.as_bytes().to_vec()));
    let id = wanted.id.as_ref().map(|id| Attribute::Id(id.clone()));
    let narrowed = label.into_iter().chain(id).collect();
    let handles = find(session, ObjectClass::PRIVATE_KEY, narrowed)?;
    let found = handles.into_iter().map(|handle| FoundKey::read(&Object { session, handle }));
    // Some modules take a template for a suggestion.
    let fits = |key: &FoundKey| {
        wanted.label.as_ref().is_none_or(|label| *label == key.label)
            && wanted.id.as_ref().is_none_or(|id| *id == key.id)
    };
    found.filter(|key| key.as_ref().map_or(true, fits)).collect()
}

/// Which of our algorithms the key is for.
pub(crate) fn algorithm(key: &Object<'_>) -> Result<SigningAlgorithm, Fault> {
    match key.key_type()? {
        Some(KeyType::RSA) => Ok(SigningAlgorithm::Rs256),
        Some(KeyType::EC) => Ok(SigningAlgorithm::Es256),
        Some(other) => Err(Fault::new(
            Class::Key,
            format!("the key is of type {other}, and only RSA and P-256 keys can be used; name another key"),
        )),
        None => Err(Fault::new(Class::Key, "the token does not say of which type the key is")),
    }
}

fn none_found(session: &Session, wanted: &ObjectAttributes) -> Fault {
    let all = matching(session, &ObjectAttributes::default()).unwrap_or_default();
    let there = if all.is_empty() {
        "it shows no private key at all: either there is none, or the login did not happen (no PIN, or a token that \
         hides its keys)"
            .to_owned()
    } else {
        format!(
            "it has {}; correct `object=` or `id=` in the URI, or log in as the user who sees the key",
            listed(all.iter())
        )
    };
    let hint = match wanted.id.as_deref().map(hexadecimal_meant) {
        Some(Some(bytes)) => format!("; did you mean `id={}`?", encoded_id(&bytes)),
        _ => String::new(),
    };
    Fault::new(Class::Key, format!("no private key of the token matches the URI; {there}{hint}"))
}

/// The bytes that were meant where somebody wrote hexadecimal digits without percent signs.
fn hexadecimal_meant(id: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(id).ok().filter(|text| !text.is_empty() && text.len() % 2 == 0)?;
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn listed<'a>(keys: impl Iterator<Item = &'a FoundKey>) -> String {
    keys.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_hexadecimal_digits_is_recognised() {
        assert_eq!(hexadecimal_meant(b"0a10"), Some(vec![0x0a, 0x10]));
        assert_eq!(hexadecimal_meant(b"0a1"), None);
        assert_eq!(hexadecimal_meant(b"zz"), None);
        assert_eq!(hexadecimal_meant(&[0xff, 0xfe]), None);
    }

    #[test]
    fn what_a_token_does_not_say_of_a_key_counts_against_it() {
        let safe =
            KeyAttributes { sensitive: Some(true), extractable: Some(false), ..KeyAttributes::default() };
        assert!(!safe.can_leave() && !safe.was_imported());
        assert!(KeyAttributes { extractable: None, ..safe }.can_leave());
        assert!(KeyAttributes { sensitive: Some(false), ..safe }.can_leave());
        assert!(KeyAttributes { local: Some(false), ..safe }.was_imported());
    }
}
