//! The keys of a JWKS that can verify a system user JWT, and how a token refers to one.

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::jwt::TrustRule;
use crate::refusal::escape;

/// The most keys that a JWKS may hold; SuperOffice's have one or two.
pub(crate) const MAX_KEYS: usize = 64;

/// How a JWT's header says which key signed it.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyReference {
    pub(crate) kid: Option<String>,
    /// The certificate's SHA-1 thumbprint, which Microsoft's older libraries write instead of a `kid`.
    pub(crate) x5t: Option<String>,
}

impl KeyReference {
    pub(crate) fn is_empty(&self) -> bool {
        self.kid.is_none() && self.x5t.is_none()
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = self.kid.as_deref().or(self.x5t.as_deref()).unwrap_or_default();
        f.write_str(&escape(reference, MAX_SHOWN))
    }
}

/// One key that may verify JWTs.
pub(crate) struct VerificationKey {
    kid: Option<String>,
    x5t: Option<String>,
    key: DecodingKey,
}

impl VerificationKey {
    pub(crate) fn pinned(key: DecodingKey) -> Self {
        Self { kid: None, x5t: None, key }
    }

    pub(crate) fn decoding_key(&self) -> &DecodingKey {
        &self.key
    }

    /// A `kid` decides alone; without one, the thumbprint does, which a `kid` may repeat in hexadecimal.
    fn is_meant_by(&self, reference: &KeyReference) -> bool {
        match (&reference.kid, &reference.x5t) {
            (Some(kid), _) => self.kid.as_ref() == Some(kid),
            (None, Some(x5t)) => self.x5t.as_ref() == Some(x5t) || self.kid == hexadecimal(x5t),
            (None, None) => false,
        }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("x5t", &self.x5t)
            .finish_non_exhaustive()
    }
}

/// The usable keys of a JWKS.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Arc<VerificationKey>>);

impl KeySet {
    /// Reads a JWKS (RFC 7517) and keeps its RSA signature keys of a size that verifies; others are passed over.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, Error> {
        let unusable = |what: String| {
            Error::untrusted(
                TrustRule::KeySet,
                format!("the JWKS {what}; pin the environment's certificate instead, or ask SuperOffice"),
            )
        };
        let set: JwkSet = serde_json::from_slice(json).map_err(|error| {
            // Where it stopped, and not what stood there.
            unusable(format!("is no JSON Web Key Set (line {}, column {})", error.line(), error.column()))
        })?;
        if set.keys.len() > MAX_KEYS {
            return Err(unusable(format!("holds more than {MAX_KEYS} keys")));
        }
        let keys: Vec<_> = set.keys.into_iter().filter_map(usable_key).map(Arc::new).collect();
        if keys.is_empty() { Err(unusable("holds no usable RSA key".into())) } else { Ok(Self(keys)) }
    }

    pub(crate) fn find(&self, reference: &KeyReference) -> Option<Arc<VerificationKey>> {
        self.0.iter().find(|key| key.is_meant_by(reference)).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RsaJwk {
    kty: String,
    n: String,
    e: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    x5t: Option<String>,
}

fn usable_key(jwk: Value) -> Option<VerificationKey> {
    let jwk: RsaJwk = serde_json::from_value(jwk).ok()?;
    let is_for_us = jwk.kty == "RSA"
        && jwk.usage.is_none_or(|usage| usage == "sig")
        && jwk.alg.is_none_or(|alg| alg == "RS256");
    // Writers that count a sign byte or pad are forgiven; the key is the same.
    let component = |text: &str| Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).ok();
    let (modulus, exponent) = (component(&jwk.n)?, component(&jwk.e)?);
    let modulus = modulus.as_slice().trim_start();
    let size = modulus.len() * 8;
    if !is_for_us || !(MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&size) {
        return None;
    }
    let key = DecodingKey::from_rsa_raw_components(modulus, &exponent);
    Some(VerificationKey { kid: jwk.kid, x5t: jwk.x5t, key })
}

trait TrimStart {
    /// Without leading zero bytes.
    fn trim_start(&self) -> &Self;
}

impl TrimStart for [u8] {
    fn trim_start(&self) -> &Self {
        let zeros = self.iter().take_while(|byte| **byte == 0).count();
        self.get(zeros..).unwrap_or_default()
    }
}

fn hexadecimal(x5t: &str) -> Option<String> {
    let thumbprint = Base64UrlUnpadded::decode_vec(x5t.trim_end_matches('=')).ok()?;
    Some(thumbprint.iter().map(|byte| format!("{byte:02X}")).collect())
}

const MIN_MODULUS_BITS: usize = 2048;
const MAX_MODULUS_BITS: usize = 8192;
const MAX_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const THUMBPRINT: [u8; 20] = [0x16; 20];

    fn jwk(extra: Value) -> Value {
        let modulus = Base64UrlUnpadded::encode_string(&[0xA5; 256]);
        let mut jwk = json!({"kty": "RSA", "n": modulus, "e": "AQAB"});
        jwk.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        jwk
    }

    fn set(keys: Value) -> Result<KeySet, Error> {
        KeySet::from_json(json!({ "keys": keys }).to_string().as_bytes())
    }

    fn reference(kid: Option<&str>, x5t: Option<&str>) -> KeyReference {
        KeyReference { kid: kid.map(str::to_owned), x5t: x5t.map(str::to_owned) }
    }

    #[test]
    fn a_key_is_found_by_kid_or_by_thumbprint() {
        let x5t = Base64UrlUnpadded::encode_string(&THUMBPRINT);
        let keys = set(json!([jwk(json!({"kid": "16".repeat(20)})), jwk(json!({"kid": "b", "x5t": "bb"}))]))
            .unwrap();
        assert!(keys.find(&reference(Some("b"), None)).is_some());
        assert!(keys.find(&reference(None, Some("bb"))).is_some());
        assert!(keys.find(&reference(None, Some(&x5t))).is_some(), "the kid is its hexadecimal form");
    }

    #[test]
    fn an_unknown_kid_is_not_saved_by_a_known_thumbprint() {
        let keys = set(json!([jwk(json!({"kid": "a", "x5t": "aa"}))])).unwrap();
        assert!(keys.find(&reference(Some("b"), Some("aa"))).is_none());
        assert!(keys.find(&reference(None, None)).is_none());
    }

    #[test]
    fn keys_of_no_use_are_passed_over() {
        for extra in [
            json!({"kty": "EC"}),
            json!({"use": "enc"}),
            json!({"alg": "RS384"}),
            json!({"n": "AQAB"}),
            json!({"n": "!"}),
            json!({"kty": 7}),
        ] {
            assert!(set(json!([jwk(extra.clone())])).is_err(), "{extra}");
            assert_eq!(set(json!([jwk(extra), jwk(json!({}))])).unwrap().len(), 1);
        }
    }

    #[test]
    fn what_is_no_key_set_is_refused_without_showing_it() {
        for json in [&b"<html>hunter2"[..], b"", b"{}", b"[]", br#"{"keys": []}"#, br#"{"keys": {}}"#] {
            let error = KeySet::from_json(json).unwrap_err();
            assert_eq!(error.kind(), &crate::ErrorKind::Untrusted(TrustRule::KeySet));
            assert!(!error.to_string().contains("hunter2"));
        }
        let many = vec![jwk(json!({})); MAX_KEYS + 1];
        assert!(set(Value::Array(many)).is_err());
    }
}
