//! The validator: one JWT held against every rule, in an order in which nothing is read before it may be.

use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::jwt::jwks::JwksCache;
use crate::jwt::key_set::{KeyReference, VerificationKey};
use crate::jwt::pinned::PinnedKeys;
use crate::jwt::strict_json::StrictObject;
use crate::jwt::{AUDIENCE_PREFIX, CLAIM_PREFIX, ISSUER, MAX_JWT_SIZE, TrustRule, UnvalidatedJwt};
use crate::refusal::escape;
use crate::secret::SecretText;
use crate::tenant::ContextIdentifier;

/// Where the keys come from that a JWT may be signed with.
#[derive(Debug)]
pub(crate) enum KeySource {
    Jwks(JwksCache),
    Pinned(PinnedKeys),
}

impl KeySource {
    async fn candidates(&self, reference: &KeyReference) -> Result<Vec<Arc<VerificationKey>>, Error> {
        match self {
            Self::Jwks(cache) => Ok(vec![cache.key(reference).await?]),
            // A pinned key is trusted by itself: what the token says of its key is of no interest.
            Self::Pinned(pinned) => Ok(pinned.keys().to_vec()),
        }
    }
}

/// Holds a JWT against every rule.
#[derive(Debug)]
pub(crate) struct JwtValidator {
    pub(crate) keys: KeySource,
    pub(crate) leeway: Duration,
}

impl JwtValidator {
    /// The claims of `jwt`, once everything holds for `context` at the time `now`.
    pub(crate) async fn validate(
        &self,
        jwt: &UnvalidatedJwt,
        context: &ContextIdentifier,
        now: Timestamp,
    ) -> Result<TrustedClaims, Error> {
        let text = jwt.expose();
        let reference = read_header(text)?;
        let candidates = self.keys.candidates(&reference).await?;
        let claims = verify_signature(text, &candidates)?;
        check_parties(&claims, context)?;
        check_times(&claims, now, self.leeway)?;
        take_ticket(claims)
    }
}

/// Claims that have passed every rule, and the ticket that was among them.
pub(crate) struct TrustedClaims {
    pub(crate) claims: Map<String, Value>,
    pub(crate) ticket: SecretText,
}

fn read_header(text: &str) -> Result<KeyReference, Error> {
    if text.len() > MAX_JWT_SIZE {
        let message = format!("the JWT is larger than {MAX_JWT_SIZE} bytes, which no true one is");
        return Err(Error::untrusted(TrustRule::TooLarge, message));
    }
    if text.trim_start().starts_with('<') {
        return Err(saml_refused());
    }
    let header = text.split('.').next().filter(|_| text.matches('.').count() == 2);
    let header = header.and_then(|part| Base64UrlUnpadded::decode_vec(part).ok()).ok_or_else(malformed)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| malformed())?;
    header.check()
}

/// The error for a token that is SAML, whatever it came in.
pub(crate) fn saml_refused() -> Error {
    let message =
        "the token is SAML, which SuperOffice has deprecated and soticket does not take; a JWT was asked for";
    Error::untrusted(TrustRule::NotSaml, message)
}

/// The members of a JOSE header that count here.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    x5t: Option<String>,
    crit: Option<Value>,
}

impl Header {
    fn check(self) -> Result<KeyReference, Error> {
        if self.alg != ALGORITHM_NAME {
            let message = format!(
                "the JWT says that it is signed with `{}`; only {ALGORITHM_NAME} is taken",
                escape(&self.alg, MAX_SHOWN)
            );
            return Err(Error::untrusted(TrustRule::Algorithm, message));
        }
        // RFC 7515, section 4.1.11: what is critical and not understood makes the token invalid.
        let is_jwt = self.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        if !is_jwt || self.crit.is_some() {
            return Err(malformed());
        }
        Ok(KeyReference { kid: self.kid, x5t: self.x5t })
    }
}

fn verify_signature(text: &str, keys: &[Arc<VerificationKey>]) -> Result<Map<String, Value>, Error> {
    let mut validation = Validation::new(Algorithm::RS256);
    // The claims are checked below, each with its own error and by our clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let mut outcome = Err(bad_signature());
    for key in keys {
        match jsonwebtoken::decode::<StrictObject>(text, key.decoding_key(), &validation) {
            Ok(data) => return Ok(data.claims.into_inner()),
            Err(error) if is_signature_error(&error) => {}
            Err(_) => outcome = Err(malformed()),
        }
    }
    outcome
}

fn is_signature_error(error: &jsonwebtoken::errors::Error) -> bool {
    use jsonwebtoken::errors::ErrorKind as E;
    matches!(error.kind(), E::InvalidSignature | E::InvalidRsaKey(_) | E::InvalidKeyFormat)
}

fn check_parties(claims: &Map<String, Value>, context: &ContextIdentifier) -> Result<(), Error> {
    if text_claim(claims, "iss") != Some(ISSUER) {
        let message = format!("the JWT's issuer (`iss`) is {}, not `{ISSUER}`", shown(claims.get("iss")));
        return Err(Error::untrusted(TrustRule::Issuer, message));
    }
    let audience = text_claim(claims, "aud").and_then(|aud| aud.strip_prefix(AUDIENCE_PREFIX));
    let Some(audience) = audience else {
        let message = format!(
            "the JWT's audience (`aud`) is {}, not `{AUDIENCE_PREFIX}` and a serial number",
            shown(claims.get("aud"))
        );
        return Err(Error::untrusted(TrustRule::Audience, message));
    };
    if audience.is_empty() || identity_text(claims, "serial").as_deref() != Some(audience) {
        let message = format!(
            "the JWT's audience (`aud`) is for the serial number `{}`, but its claim `serial` is {}",
            escape(audience, MAX_SHOWN),
            shown(identity(claims, "serial"))
        );
        return Err(Error::untrusted(TrustRule::AudienceMatchesSerial, message));
    }
    if !identity_text(claims, "ctx").is_some_and(|ctx| context.is_named_by(&ctx)) {
        let message = format!(
            "the JWT is for the tenant {}, but `{context}` was asked for; do not use it",
            shown(identity(claims, "ctx"))
        );
        return Err(Error::untrusted(TrustRule::Tenant, message));
    }
    Ok(())
}

fn check_times(claims: &Map<String, Value>, now: Timestamp, leeway: Duration) -> Result<(), Error> {
    let leeway = SignedDuration::try_from(leeway).unwrap_or(SignedDuration::MAX);
    let expires = time_claim(claims, "exp")?.ok_or_else(|| bad_time("exp", "missing"))?;
    if expires.saturating_add(leeway).unwrap_or(Timestamp::MAX) <= now {
        let message = format!(
            "the JWT expired at {expires}, and it is {now} now; get a new one, and check this machine's clock"
        );
        return Err(Error::untrusted(TrustRule::NotExpired, message));
    }
    match time_claim(claims, "nbf")? {
        Some(begins) if begins.saturating_sub(leeway).unwrap_or(Timestamp::MIN) > now => {
            let message =
                format!("the JWT is valid from {begins} on, and it is {now} now; check this machine's clock");
            Err(Error::untrusted(TrustRule::AlreadyValid, message))
        }
        _ => Ok(()),
    }
}

fn take_ticket(mut claims: Map<String, Value>) -> Result<TrustedClaims, Error> {
    match claims.remove(&format!("{CLAIM_PREFIX}ticket")) {
        Some(Value::String(ticket)) if !ticket.trim().is_empty() => {
            Ok(TrustedClaims { claims, ticket: SecretText::new(ticket) })
        }
        Some(Value::String(_)) => Err(Error::untrusted(
            TrustRule::TicketNotEmpty,
            "the JWT's claim `ticket` is empty; tell SuperOffice's support",
        )),
        _ => Err(Error::untrusted(
            TrustRule::TicketPresent,
            "the JWT holds no claim `ticket`; tell SuperOffice's support",
        )),
    }
}

fn time_claim(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Error> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let Value::Number(number) = value else {
        return Err(bad_time(name, "not a number"));
    };
    let seconds = number
        .as_f64()
        .filter(|seconds| seconds.is_finite())
        .ok_or_else(|| bad_time(name, "not a number"))?;
    // NumericDate may have a fraction (RFC 7519, section 2), which does not matter beside the leeway.
    #[allow(clippy::cast_possible_truncation, reason = "saturates, and the range is checked next")]
    Timestamp::from_second(seconds as i64).map(Some).map_err(|_| bad_time(name, "out of range"))
}

fn text_claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

fn identity<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(&format!("{CLAIM_PREFIX}{name}"))
}

/// A claim's text; SuperOffice writes numbers as strings mostly, and may change its mind.
fn identity_text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    match identity(claims, name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "missing".into(),
        Some(Value::String(text)) => format!("`{}`", escape(text, MAX_SHOWN)),
        Some(other) => format!("`{}`", escape(&other.to_string(), MAX_SHOWN)),
    }
}

fn malformed() -> Error {
    let message = "the token is no well-formed JWT; check whether a proxy changes the answer";
    Error::untrusted(TrustRule::WellFormed, message)
}

fn bad_signature() -> Error {
    let message = "the JWT's signature does not verify; \
                   check that the environment, or the pinned certificate, is the one that was asked";
    Error::untrusted(TrustRule::Signature, message)
}

fn bad_time(name: &str, what: &str) -> Error {
    Error::untrusted(
        TrustRule::TimesWellFormed,
        format!("the JWT's claim `{name}` is {what}; it must be a number of seconds"),
    )
}

const ALGORITHM_NAME: &str = "RS256";
/// How much of a foreign value an error shows, in characters.
const MAX_SHOWN: usize = 80;

#[cfg(test)]
mod tests;
