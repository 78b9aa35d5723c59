//! `soticket sign` and `soticket verify`: the signed system token, made here and checked by others.

use serde_json::Value;
use soticket_emulator::Sample;

use crate::support::{Desk, KEY_FILE, Run, openssl, partner_key_xml};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(KEY_FILE, partner_key_xml());
    desk
}

fn sign(desk: &Desk) -> Run {
    desk.soticket("sign --signer partner.xml").env("SOTICKET_SYSTEM_USER_TOKEN", Sample::SYSTEM_USER_TOKEN)
}

#[test]
fn a_signed_token_is_token_time_and_signature_and_needs_no_client_secret() {
    let out = sign(&desk()).run().done();
    let signed = out.strip_suffix('\n').unwrap();
    let (rest, signature) = signed.rsplit_once('.').unwrap();
    let (token, time) = rest.rsplit_once('.').unwrap();
    assert_eq!(token, Sample::SYSTEM_USER_TOKEN);
    assert!(time.len() == 12 && time.bytes().all(|byte| byte.is_ascii_digit()), "{time}");
    assert!(signature.len() == 344 && signature.ends_with('='), "256 bytes in Base64");
}

#[test]
fn openssl_verifies_the_signature() {
    let desk = desk();
    let out = sign(&desk).run().done();
    let (message, signature) = out.trim_end().rsplit_once('.').unwrap();
    desk.write("message", message);
    desk.write("signature.b64", format!("{signature}\n"));
    openssl("base64 -d -A -in signature.b64 -out signature", &desk);
    let public = desk.soticket("key inspect partner.xml --public").run().done();
    desk.write("public.pem", public);
    let said = openssl("dgst -sha256 -verify public.pem -signature signature message", &desk);
    assert_eq!(said.trim(), "Verified OK");
}

#[test]
fn json_says_which_key_signed_and_when() {
    let desk = desk();
    let json = sign(&desk).arg("--format").arg("json").run().json();
    assert_eq!(json["algorithm"], "RS256");
    assert!(json["signed_system_token"].as_str().unwrap().starts_with(Sample::SYSTEM_USER_TOKEN));
    let key = desk.soticket("key inspect partner.xml --format json").run().json();
    assert_eq!(json["key_sha256"], key["key_sha256"]);
}

#[test]
fn verify_takes_what_sign_prints() {
    let desk = desk();
    let signed = sign(&desk).run().done();
    let out = desk.soticket("verify --signer partner.xml").input(signed.clone()).run().done();
    assert!(!out.contains(Sample::SYSTEM_USER_TOKEN), "{out}");
    desk.write("public.pem", desk.soticket("key inspect partner.xml --public").run().done());
    desk.write("signed.txt", signed);
    let run = desk.soticket("verify --public-key public.pem --signed-token-file signed.txt --format json");
    assert_eq!(run.run().json()["verified"], Value::Bool(true));
}

#[test]
fn another_keys_signature_exits_with_five() {
    let desk = desk();
    desk.soticket("key generate --type p256 --out other.pem --public-out other-public.pem").run().done();
    let signed = sign(&desk).run().done();
    let err = desk.soticket("verify --public-key other-public.pem").input(signed.clone()).run().failed(5);
    assert!(!err.contains(Sample::SYSTEM_USER_TOKEN), "{err}");
    let ran = desk.soticket("verify --public-key other-public.pem --format json").input(signed).run();
    assert_eq!(ran.code, 5);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["verified"], Value::Bool(false));
}

#[test]
fn a_changed_token_does_not_verify() {
    let desk = desk();
    let changed = sign(&desk).run().done().replacen("My Sample", "My Simple", 1);
    desk.soticket("verify --signer partner.xml").input(changed).run().failed(5);
}

#[test]
fn what_is_no_signed_token_is_refused_without_being_repeated() {
    let desk = desk();
    let err = desk.soticket("verify --signer partner.xml").input("s3cr3t").run().failed(2);
    assert!(!err.contains("s3cr3t"), "{err}");
}

#[test]
fn p256_keys_sign_and_verify() {
    let desk = desk();
    desk.soticket("key generate --type p256 --out ec.pem").run().done();
    let run = desk.soticket("sign --signer ec.pem").env("SOTICKET_SYSTEM_USER_TOKEN", "App-token");
    let signed = run.run().done();
    desk.soticket("verify --signer ec.pem").input(signed).run().done();
}
