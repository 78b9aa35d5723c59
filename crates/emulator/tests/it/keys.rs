//! The key set, the certificate, and their rotation.

use serde_json::json;
use soticket_emulator::{Fault, KeyRotation, Scope, Times};

use crate::support::bench;

const JWKS: &str = "/login/.well-known/jwks";

fn openssl_thumbprint(certificate: &str) -> String {
    use std::io::Write as _;
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["x509", "-noout", "-fingerprint", "-sha1"]);
    let mut child =
        openssl.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(certificate.as_bytes()).unwrap();
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    output.split('=').nth(1).unwrap().trim().replace(':', "")
}

#[tokio::test]
async fn the_key_is_named_by_its_certificates_thumbprint() {
    let bench = bench().await;
    let key = bench.json(JWKS).await["keys"][0].clone();
    assert_eq!(key["kid"], openssl_thumbprint(&bench.emulator.federated_login_certificate_pem()));
    assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&json!("RSA"), &json!("sig"), &json!("RS256")));
    assert!(key["x5t"].is_string() && key["x5c"][0].is_string() && key["n"].is_string());
}

#[tokio::test]
async fn the_key_set_alone_verifies_a_token() {
    let bench = bench().await;
    let answer = bench.exchange(&bench.signed()).await;
    let token = answer["Token"].as_str().unwrap();
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_value(bench.json(JWKS).await).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.validate_exp = false;
    rules.validate_aud = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    assert!(jsonwebtoken::decode::<serde_json::Value>(token, &key, &rules).is_ok());
}

#[tokio::test]
async fn rotation_keeps_or_drops_the_old_key() {
    let bench = bench().await;
    let kids = async || {
        let keys = bench.json(JWKS).await["keys"].as_array().unwrap().clone();
        keys.into_iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = kids().await;
    bench.emulator.rotate_key(KeyRotation::OldKeyKept).await.unwrap();
    let kept = kids().await;
    assert_eq!((kept.len(), &kept[1]), (2, &before[0]));
    bench.emulator.rotate_key(KeyRotation::OldKeyDropped).await.unwrap();
    let dropped = kids().await;
    assert!(dropped.len() == 1 && !kept.contains(&dropped[0]));
}

#[tokio::test]
async fn key_sets_can_be_empty_or_garbage() {
    let bench = bench().await;
    bench.emulator.faults().queue(Scope::Jwks, Times::ONCE, Fault::EmptyKeySet);
    assert_eq!(bench.json(JWKS).await, json!({"keys": []}));
    bench.emulator.faults().queue(Scope::Jwks, Times::ONCE, Fault::GarbageKeys);
    assert_eq!(bench.json(JWKS).await["keys"][0]["n"], "!");
}
