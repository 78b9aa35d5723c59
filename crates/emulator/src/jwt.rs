//! A small JWT encoder that can also produce broken ones.

pub(crate) mod defect;

use std::sync::OnceLock;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::{Sha256, Sha384};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use serde_json::{Value, json};

use crate::keys::{KeyError, LoginKey, generate};
use defect::JwtDefect;

/// The prefix of SuperOffice's claims.
pub(crate) const CLAIM: &str = "http://schemes.superoffice.net/identity/";
/// How far the times of an expired or early token are off, in seconds.
const DEFECT_SECONDS: i64 = 3600;
/// The size of the padding claim of a huge token, in bytes.
const HUGE_BYTES: usize = 4 * 1024 * 1024;
/// How many bytes are cut from a truncated token's signature.
const CUT_BYTES: usize = 30;

/// The claims in order; a name may come twice.
pub(crate) type Claims = Vec<(String, Value)>;

/// What a token says, before it is signed.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) claims: Claims,
    pub(crate) now: Timestamp,
}

/// Signs `draft` with `key`, broken by `defect` if there is one. Blocks for milliseconds.
pub(crate) fn encode(
    mut draft: Draft,
    key: &LoginKey,
    defect: Option<JwtDefect>,
) -> Result<String, KeyError> {
    if let Some(defect) = defect {
        spoil(&mut draft, defect);
    }
    let input = format!("{}.{}", part(&header(key, defect)), part(&object(&draft.claims)));
    let mut signature = signature(&input, key, defect)?;
    if defect == Some(JwtDefect::Truncated) {
        // Cut before it is encoded: a cut in the text leaves spare bits, which only sometimes are well-formed Base64.
        signature.truncate(signature.len().saturating_sub(CUT_BYTES));
    }
    Ok(format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

fn part(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// Written by hand, because a map would swallow a repeated name.
fn object(claims: &Claims) -> String {
    let members: Vec<_> = claims.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn header(key: &LoginKey, defect: Option<JwtDefect>) -> String {
    let alg = match defect {
        Some(JwtDefect::AlgNone) => "none",
        Some(JwtDefect::Hs256WithPublicKey) => "HS256",
        Some(JwtDefect::Rs384) => "RS384",
        _ => "RS256",
    };
    let header = match defect {
        Some(JwtDefect::NoKid) => json!({"alg": alg, "typ": "JWT"}),
        Some(JwtDefect::UnknownKid) => {
            json!({"alg": alg, "typ": "JWT", "kid": "0".repeat(40), "x5t": "A".repeat(27)})
        }
        _ => json!({"alg": alg, "typ": "JWT", "kid": key.kid, "x5t": key.x5t()}),
    };
    header.to_string()
}

fn signature(input: &str, key: &LoginKey, defect: Option<JwtDefect>) -> Result<Vec<u8>, KeyError> {
    let message = input.as_bytes();
    Ok(match defect {
        Some(JwtDefect::AlgNone) => Vec::new(),
        Some(JwtDefect::Hs256WithPublicKey) => {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.public_pem.as_bytes())?;
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        Some(JwtDefect::Rs384) => SigningKey::<Sha384>::new(key.private.clone())
            .try_sign(message)
            .map_err(|_| rsa::Error::Internal)?
            .to_vec(),
        Some(JwtDefect::WrongKey) => sign(&SigningKey::new(other_key()?), message)?,
        _ => sign(&key.signing, message)?,
    })
}

fn sign(key: &SigningKey<Sha256>, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    Ok(key.try_sign(message).map_err(|_| rsa::Error::Internal)?.to_vec())
}

/// A key that is in no key set, made when it is first needed.
fn other_key() -> Result<PrivateKey, KeyError> {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    match KEY.get() {
        Some(key) => Ok(key.clone()),
        None => {
            let made = generate()?;
            Ok(KEY.get_or_init(|| made).clone())
        }
    }
}

fn spoil(draft: &mut Draft, defect: JwtDefect) {
    let now = draft.now.as_second();
    let claims = &mut draft.claims;
    match defect {
        JwtDefect::WrongIssuer => set(claims, "iss", json!("https://sod.superoffice.com")),
        JwtDefect::WrongAudience => set(claims, "aud", json!("0123456789abcdef0123456789abcdef")),
        JwtDefect::AudienceNotSerial => set(claims, &format!("{CLAIM}serial"), json!("9999999999")),
        JwtDefect::Expired => {
            set(claims, "exp", json!(now - DEFECT_SECONDS));
            set(claims, "nbf", json!(now - 2 * DEFECT_SECONDS));
        }
        JwtDefect::NotYetValid => {
            set(claims, "nbf", json!(now + DEFECT_SECONDS));
            set(claims, "exp", json!(now + 2 * DEFECT_SECONDS));
        }
        JwtDefect::OtherTenant => set(claims, &format!("{CLAIM}ctx"), json!("Cust99999")),
        JwtDefect::MissingTicket => remove(claims, &format!("{CLAIM}ticket")),
        JwtDefect::EmptyTicket => set(claims, &format!("{CLAIM}ticket"), json!("")),
        JwtDefect::Huge => claims.push((format!("{CLAIM}padding"), json!("x".repeat(HUGE_BYTES)))),
        JwtDefect::NumbersAsStrings => stringify(claims),
        JwtDefect::DuplicateKeys => claims.push((format!("{CLAIM}ctx"), json!("Cust99999"))),
        JwtDefect::MissingExp => remove(claims, "exp"),
        _ => {}
    }
}

fn set(claims: &mut Claims, name: &str, value: Value) {
    for claim in claims.iter_mut().filter(|claim| claim.0 == name) {
        claim.1 = value.clone();
    }
}

fn remove(claims: &mut Claims, name: &str) {
    claims.retain(|claim| claim.0 != name);
}

fn stringify(claims: &mut Claims) {
    for claim in claims.iter_mut().filter(|claim| claim.1.is_number()) {
        claim.1 = json!(claim.1.to_string());
    }
}
