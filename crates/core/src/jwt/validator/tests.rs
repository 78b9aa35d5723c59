//! Each trust rule, broken alone: the JWT is right in everything but one thing, and that thing is named.

use base64ct::{Base64, Encoding as _};
use jsonwebtoken::{EncodingKey, Header as JoseHeader};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ErrorKind;
use crate::jwt::jwks;
use crate::jwt::key_set::KeySet;
use crate::public_key::PublicKey;

const NOW: i64 = 1_800_000_000;
const KID: &str = "16B7FB8C3F9AB06885A800C64E64C97C4AB5E98C";
const LEEWAY: Duration = Duration::from_secs(30);

macro_rules! testdata {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/", $name)).as_slice()
    };
}

fn signer() -> EncodingKey {
    EncodingKey::from_rsa_der(testdata!("jwt-signer.test-key.pkcs1.der"))
}

fn other_signer() -> EncodingKey {
    EncodingKey::from_rsa_der(testdata!("other-signer.test-key.pkcs1.der"))
}

fn signer_pem() -> &'static [u8] {
    testdata!("jwt-signer.pub.pem")
}

fn header() -> JoseHeader {
    JoseHeader { kid: Some(KID.into()), ..JoseHeader::new(Algorithm::RS256) }
}

fn identity_name(name: &str) -> String {
    format!("{CLAIM_PREFIX}{name}")
}

fn good_claims() -> Map<String, Value> {
    let plain =
        json!({"iss": ISSUER, "aud": "spn:1234567", "exp": NOW + 300, "nbf": NOW, "iat": NOW.to_string()});
    let mut claims = plain.as_object().unwrap().clone();
    for (name, value) in
        [("ticket", "7T:abc=="), ("ctx", "Cust12345"), ("serial", "1234567"), ("email", "a@b.example")]
    {
        claims.insert(identity_name(name), value.into());
    }
    claims
}

fn encode(header: &JoseHeader, claims: &Map<String, Value>, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, claims, key).unwrap()
}

/// The good JWT with one claim changed, or taken out.
fn with_claim(name: &str, value: impl Into<Option<Value>>) -> String {
    let mut claims = good_claims();
    match value.into() {
        Some(value) => claims.insert(name.into(), value),
        None => claims.remove(name),
    };
    encode(&header(), &claims, &signer())
}

/// Signs parts that no encoder would make.
fn sign_parts(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &signer(), Algorithm::RS256).unwrap();
    format!("{message}.{signature}")
}

fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[derive(Debug)]
struct FixedKeys;

#[async_trait::async_trait]
impl jwks::FetchKeys for FixedKeys {
    async fn fetch(&self) -> Result<KeySet, Error> {
        let pem = std::str::from_utf8(signer_pem()).unwrap();
        let key = PublicKey::from_pem(pem).unwrap();
        // SubjectPublicKeyInfo of RSA-2048: the modulus is the 256 bytes before the exponent's five.
        let spki = key.spki_der();
        let modulus = base64url(&spki[spki.len() - 261..spki.len() - 5]);
        let jwks = json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID, "n": modulus, "e": "AQAB"}]});
        KeySet::from_json(jwks.to_string().as_bytes())
    }
}

fn from_jwks() -> KeySource {
    KeySource::Jwks(JwksCache::new(FixedKeys))
}

fn from_pinned() -> KeySource {
    KeySource::Pinned(PinnedKeys::from_pem_or_der(signer_pem()).unwrap())
}

async fn validate_with(keys: KeySource, jwt: &str) -> Result<TrustedClaims, Error> {
    let validator = JwtValidator { keys, leeway: LEEWAY };
    let context = "Cust12345".parse().unwrap();
    let now = Timestamp::from_second(NOW).unwrap();
    validator.validate(&UnvalidatedJwt::new(jwt.to_owned()), &context, now).await
}

/// Asserts that exactly `rule` is named, whether the key comes from the JWKS or is pinned.
async fn assert_breaks(jwt: &str, rule: TrustRule) {
    for keys in [from_jwks(), from_pinned()] {
        let error =
            validate_with(keys, jwt).await.err().unwrap_or_else(|| panic!("{rule:?} was not noticed"));
        assert_eq!(error.kind(), &ErrorKind::Untrusted(rule), "{error}");
        assert!(!error.to_string().contains("7T:"), "the ticket is in the message: {error}");
    }
}

#[tokio::test]
async fn a_good_jwt_is_trusted_by_jwks_and_by_pinned_key() {
    for keys in [from_jwks(), from_pinned()] {
        let trusted = validate_with(keys, &encode(&header(), &good_claims(), &signer())).await.unwrap();
        assert_eq!(trusted.ticket.expose(), "7T:abc==");
        assert_eq!(trusted.claims[&identity_name("email")], "a@b.example");
        assert!(!trusted.claims.contains_key(&identity_name("ticket")), "the ticket is kept apart");
    }
}

#[tokio::test]
async fn algorithm_none_is_refused() {
    for alg in ["none", "None", ""] {
        let header = json!({"alg": alg, "typ": "JWT", "kid": KID}).to_string();
        let claims = Value::Object(good_claims()).to_string();
        let unsigned = format!("{}.{}.", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        assert_breaks(&unsigned, TrustRule::Algorithm).await;
    }
}

#[tokio::test]
async fn the_public_key_is_no_hmac_secret() {
    let header = JoseHeader { kid: Some(KID.into()), ..JoseHeader::new(Algorithm::HS256) };
    let pem = encode(&header, &good_claims(), &EncodingKey::from_secret(signer_pem()));
    assert_breaks(&pem, TrustRule::Algorithm).await;
    let body: String =
        std::str::from_utf8(signer_pem()).unwrap().lines().filter(|line| !line.starts_with('-')).collect();
    let der = Base64::decode_vec(&body).unwrap();
    let der = encode(&header, &good_claims(), &EncodingKey::from_secret(&der));
    assert_breaks(&der, TrustRule::Algorithm).await;
}

#[tokio::test]
async fn another_rsa_algorithm_is_refused_though_the_key_is_right() {
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let header = JoseHeader { kid: Some(KID.into()), ..JoseHeader::new(algorithm) };
        assert_breaks(&encode(&header, &good_claims(), &signer()), TrustRule::Algorithm).await;
    }
}

#[tokio::test]
async fn an_unknown_kid_is_refused_by_the_jwks_and_of_no_interest_to_a_pinned_key() {
    let header = JoseHeader { kid: Some("unknown".into()), ..header() };
    let jwt = encode(&header, &good_claims(), &signer());
    let error = validate_with(from_jwks(), &jwt).await.err().unwrap();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdKnown));
    assert!(validate_with(from_pinned(), &jwt).await.is_ok());
}

#[tokio::test]
async fn no_kid_is_refused_by_the_jwks_and_of_no_interest_to_a_pinned_key() {
    let jwt = encode(&JoseHeader::new(Algorithm::RS256), &good_claims(), &signer());
    let error = validate_with(from_jwks(), &jwt).await.err().unwrap();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdPresent));
    assert!(validate_with(from_pinned(), &jwt).await.is_ok());
}

#[tokio::test]
async fn a_key_in_the_header_is_of_no_interest() {
    let header = json!({"alg": "RS256", "kid": "x", "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "jku": "https://example.com"});
    let jwt = sign_parts(&header.to_string(), &Value::Object(good_claims()).to_string());
    let error = validate_with(from_jwks(), &jwt).await.err().unwrap();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::KeyIdKnown));
}

#[tokio::test]
async fn a_wrong_key_is_refused_though_the_kid_is_right() {
    assert_breaks(&encode(&header(), &good_claims(), &other_signer()), TrustRule::Signature).await;
}

#[tokio::test]
async fn changed_claims_are_refused() {
    let jwt = encode(&header(), &good_claims(), &signer());
    let parts: Vec<_> = jwt.split('.').collect();
    let claims = Value::Object(good_claims()).to_string().replace("7T:abc", "7T:abd");
    assert_breaks(
        &format!("{}.{}.{}", parts[0], base64url(claims.as_bytes()), parts[2]),
        TrustRule::Signature,
    )
    .await;
    assert_breaks(&format!("{}.{}.", parts[0], parts[1]), TrustRule::Signature).await;
}

#[tokio::test]
async fn a_critical_extension_or_another_type_is_refused() {
    let claims = Value::Object(good_claims()).to_string();
    for header in [
        json!({"alg": "RS256", "kid": KID, "crit": ["b64"], "b64": true}),
        json!({"alg": "RS256", "kid": KID, "typ": "at+jwt"}),
    ] {
        assert_breaks(&sign_parts(&header.to_string(), &claims), TrustRule::WellFormed).await;
    }
}

#[tokio::test]
async fn a_wrong_issuer_is_refused() {
    assert_breaks(&with_claim("iss", json!("https://sod.superoffice.com")), TrustRule::Issuer).await;
    assert_breaks(&with_claim("iss", json!(["SuperOffice AS"])), TrustRule::Issuer).await;
    assert_breaks(&with_claim("iss", None), TrustRule::Issuer).await;
}

#[tokio::test]
async fn a_wrong_audience_is_refused() {
    assert_breaks(&with_claim("aud", json!("my-client-id")), TrustRule::Audience).await;
    assert_breaks(&with_claim("aud", json!(["spn:1234567"])), TrustRule::Audience).await;
    assert_breaks(&with_claim("aud", None), TrustRule::Audience).await;
}

#[tokio::test]
async fn an_audience_of_another_serial_number_is_refused() {
    assert_breaks(&with_claim("aud", json!("spn:7654321")), TrustRule::AudienceMatchesSerial).await;
    assert_breaks(&with_claim("aud", json!("spn:")), TrustRule::AudienceMatchesSerial).await;
    assert_breaks(&with_claim(&identity_name("serial"), json!("7654321")), TrustRule::AudienceMatchesSerial)
        .await;
    assert_breaks(&with_claim(&identity_name("serial"), None), TrustRule::AudienceMatchesSerial).await;
}

#[tokio::test]
async fn a_serial_number_that_is_a_number_is_the_same_serial_number() {
    let jwt = with_claim(&identity_name("serial"), json!(1_234_567));
    assert!(validate_with(from_jwks(), &jwt).await.is_ok());
}

#[tokio::test]
async fn an_expired_jwt_is_refused_and_the_leeway_is_exact() {
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap();
    assert_breaks(&with_claim("exp", json!(NOW - leeway)), TrustRule::NotExpired).await;
    assert!(validate_with(from_jwks(), &with_claim("exp", json!(NOW - leeway + 1))).await.is_ok());
}

#[tokio::test]
async fn a_jwt_that_is_not_yet_valid_is_refused_and_the_leeway_is_exact() {
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap();
    assert_breaks(&with_claim("nbf", json!(NOW + leeway + 1)), TrustRule::AlreadyValid).await;
    assert!(validate_with(from_jwks(), &with_claim("nbf", json!(NOW + leeway))).await.is_ok());
}

#[tokio::test]
async fn times_that_are_no_numbers_are_refused() {
    for name in ["exp", "nbf"] {
        for value in [json!((NOW + 20).to_string()), json!(true), json!({}), json!(1e300)] {
            assert_breaks(&with_claim(name, value), TrustRule::TimesWellFormed).await;
        }
    }
    assert_breaks(&with_claim("exp", None), TrustRule::TimesWellFormed).await;
}

#[tokio::test]
async fn a_missing_nbf_and_an_iat_of_any_type_do_not_matter() {
    for jwt in [with_claim("nbf", None), with_claim("iat", json!(NOW)), with_claim("iat", None)] {
        assert!(validate_with(from_jwks(), &jwt).await.is_ok());
    }
}

#[tokio::test]
async fn another_tenants_jwt_is_refused() {
    assert_breaks(&with_claim(&identity_name("ctx"), json!("Cust54321")), TrustRule::Tenant).await;
    assert_breaks(&with_claim(&identity_name("ctx"), json!("Cust123456")), TrustRule::Tenant).await;
    assert_breaks(&with_claim(&identity_name("ctx"), None), TrustRule::Tenant).await;
}

#[tokio::test]
async fn a_missing_ticket_is_refused() {
    assert_breaks(&with_claim(&identity_name("ticket"), None), TrustRule::TicketPresent).await;
    assert_breaks(&with_claim(&identity_name("ticket"), json!(7)), TrustRule::TicketPresent).await;
}

#[tokio::test]
async fn an_empty_ticket_is_refused() {
    assert_breaks(&with_claim(&identity_name("ticket"), json!("")), TrustRule::TicketNotEmpty).await;
    assert_breaks(&with_claim(&identity_name("ticket"), json!(" ")), TrustRule::TicketNotEmpty).await;
}

#[tokio::test]
async fn a_truncated_jwt_is_refused() {
    let jwt = encode(&header(), &good_claims(), &signer());
    let (rest, signature) = jwt.rsplit_once('.').unwrap();
    for truncated in ["", ".", "..", "a.b.c", &jwt[..10], rest, &format!("{jwt}.x")] {
        assert_breaks(truncated, TrustRule::WellFormed).await;
    }
    // Cut within the signature, it is still three parts of Base64url.
    assert_breaks(&format!("{rest}.{}", &signature[..signature.len() - 2]), TrustRule::Signature).await;
}

#[tokio::test]
async fn a_huge_jwt_is_refused_before_it_is_looked_at() {
    assert_breaks(&with_claim("padding", json!("x".repeat(MAX_JWT_SIZE))), TrustRule::TooLarge).await;
}

#[tokio::test]
async fn duplicate_members_are_refused_in_claims_and_header() {
    let claims = Value::Object(good_claims()).to_string();
    let header = json!({"alg": "RS256", "kid": KID}).to_string();
    for name in ["iss", "exp", &identity_name("ctx"), &identity_name("ticket")] {
        let twice = claims.replacen('{', &format!("{{\"{name}\":\"first\","), 1);
        assert_breaks(&sign_parts(&header, &twice), TrustRule::WellFormed).await;
    }
    let header = header.replacen('{', "{\"alg\":\"none\",", 1);
    assert_breaks(&sign_parts(&header, &claims), TrustRule::WellFormed).await;
}

#[tokio::test]
async fn claims_that_are_no_object_are_refused() {
    for claims in ["[]", "null", "\"x\"", "{", ""] {
        let header = json!({"alg": "RS256", "kid": KID}).to_string();
        assert_breaks(&sign_parts(&header, claims), TrustRule::WellFormed).await;
    }
}

#[tokio::test]
async fn a_saml_token_is_refused_by_name() {
    assert_breaks(
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>",
        TrustRule::NotSaml,
    )
    .await;
}

#[tokio::test]
async fn one_of_several_pinned_keys_suffices() {
    let both = [testdata!("other-signer.pub.pem"), signer_pem()].concat();
    let keys = KeySource::Pinned(PinnedKeys::from_pem_or_der(&both).unwrap());
    assert!(validate_with(keys, &encode(&header(), &good_claims(), &signer())).await.is_ok());
}

#[test]
fn debug_shows_nothing_of_a_jwt() {
    assert_eq!(format!("{:?}", UnvalidatedJwt::new("a.b.c".to_owned())), "UnvalidatedJwt([redacted])");
}

/// Runs the validator to its end; nothing in it waits when the keys are pinned.
fn validate_now(jwt: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _ = runtime.block_on(validate_with(from_pinned(), jwt));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics_the_validator(text in any::<String>()) {
        validate_now(&text);
    }

    #[test]
    fn signed_nonsense_does_not_panic_the_validator(
        header in r#"\{"alg":"RS256"(,"(kid|typ|x5t|crit)":("\PC{0,5}"|null|1|\[\]))*\}"#,
        claims in r#"\{("(iss|aud|exp|nbf|ctx)":("\PC{0,5}"|-?[0-9]{1,30}|1e[0-9]{1,3}|null),)*"x":1\}"#,
    ) {
        validate_now(&sign_parts(&header, &claims));
    }

    #[test]
    fn no_bytes_panic_the_key_set_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = KeySet::from_json(&bytes);
    }

    #[test]
    fn nearly_right_key_sets_do_not_panic_their_reader(
        n in "[A-Za-z0-9_=-]{0,400}", e in "[A-Za-z0-9_=-]{0,6}", kid in "\\PC{0,9}",
    ) {
        let jwks = json!({"keys": [{"kty": "RSA", "n": n, "e": e, "kid": kid}]});
        if let Ok(keys) = KeySet::from_json(jwks.to_string().as_bytes()) {
            prop_assert_eq!(keys.len(), 1);
        }
    }
}
