//! Looking after keys: listed, made and moved in, with nothing left behind when it fails.

use soticket_core::{PublicKey, SignerErrorKind};
use soticket_pkcs11_testbed::{Bed, Device, isolated};
use soticket_signer_conformance::TestKey;
use soticket_signer_pkcs11::{Finding, Link, NewKeyType, TokenAccess};

use crate::support::{block_on, build, builder, pin, sign_verified, whole};

fn access(bed: &Bed, object: &str) -> TokenAccess {
    TokenAccess::new(bed.uri(object).parse().unwrap()).with_pin(pin(bed.pin()))
}

fn pkcs8(key: TestKey) -> Vec<u8> {
    let (_, der) = der::pem::decode_vec(key.private_pem().as_bytes()).unwrap();
    der
}

fn labels(bed: &Bed) -> Vec<String> {
    let (_, keys) = block_on(access(bed, "").list()).unwrap().keys.unwrap();
    let mut labels: Vec<_> = keys.iter().map(|key| key.label().to_owned()).collect();
    labels.sort();
    labels
}

fn every_key_moves_in_and_signs(bed: &Bed) {
    for key in TestKey::ALL {
        let object = format!("object={}", key.name());
        let (_, listed) = block_on(access(bed, &object).import(pkcs8(key).into())).unwrap();
        assert_eq!(listed.public_key(), Some(&key.public_key()));
        let attributes = listed.attributes();
        assert_eq!((attributes.sensitive, attributes.extractable), (Some(true), Some(false)), "{key}");
        let signer = build(builder(bed, &object)).unwrap();
        sign_verified(bed, &signer, &key.public_key());
    }
}

#[test]
fn every_key_moves_into_softhsm_and_signs() {
    isolated!(Device::SoftHsm.setup(), every_key_moves_in_and_signs);
}

#[test]
#[ignore = "needs kryoptic, which cargo xtask softhsm-test builds"]
fn every_key_moves_into_kryoptic_and_signs() {
    isolated!(Device::Kryoptic.setup(), every_key_moves_in_and_signs);
}

#[test]
fn a_key_that_is_made_in_the_token_never_leaves_it() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        for (name, key_type, bits) in
            [("a", NewKeyType::Rsa2048, 2048), ("b", NewKeyType::Rsa3072, 3072), ("c", NewKeyType::P256, 256)]
        {
            let object =
                format!("object={name};id=%0{bits}").replace("%02048", "%01").replace("%03072", "%02");
            let object = object.replace("%0256", "%03");
            let (_, key) = block_on(access(bed, &object).generate(key_type)).unwrap();
            assert_eq!(key.public_key().unwrap().bits(), bits);
            assert!(!key.attributes().can_leave() && !key.attributes().was_imported(), "{key:?}");
            let signer = build(builder(bed, &object).require_non_extractable()).unwrap();
            sign_verified(bed, &signer, key.public_key().unwrap());
        }
        let read = PublicKey::from_pem(&bed.public_key_pem("01")).unwrap();
        assert_eq!(read.bits(), 2048, "other programs find the public half");
        assert_eq!(labels(bed), ["a", "b", "c"]);
    });
}

#[test]
fn a_name_that_is_taken_is_left_alone() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("01", "taken", 2048);
        for object in ["object=taken", "object=new;id=%01"] {
            let made = block_on(access(bed, object).generate(NewKeyType::P256)).map(|_| ());
            let moved = block_on(access(bed, object).import(pkcs8(TestKey::Rsa2048).into())).map(|_| ());
            for outcome in [made, moved] {
                let error = outcome.unwrap_err();
                assert!(whole(&error).contains("already"), "{}", whole(&error));
            }
        }
        let error = block_on(access(bed, "id=%02").generate(NewKeyType::P256)).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Configuration, "it needs a name");
        assert_eq!(labels(bed), ["taken"]);
    });
}

#[test]
fn what_fails_half_way_leaves_nothing() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        // The private object is there already when the public one is refused.
        bed.faults().set("C_CreateObject 1 1 0x31 before\n");
        let moved = block_on(access(bed, "object=new").import(pkcs8(TestKey::Rsa2048).into()));
        assert!(whole(&moved.unwrap_err()).contains("C_CreateObject answered CKR_DEVICE_MEMORY"));
        bed.faults().clear();
        assert!(labels(bed).is_empty());
        for garbage in [vec![], vec![0x30, 0], b"-----BEGIN PRIVATE KEY-----".to_vec()] {
            let error = block_on(access(bed, "object=new").import(garbage.into())).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Key);
        }
        assert_eq!(bed.faults().open_sessions(), 0);
    });
}

#[test]
fn tokens_are_listed_without_a_pin_and_keys_with_one() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        let uri = format!("pkcs11:token=none?module-path={}", bed.module().display());
        let inventory = block_on(TokenAccess::new(uri.parse().unwrap()).list()).unwrap();
        assert_eq!(inventory.tokens.len(), 1);
        assert_eq!(inventory.tokens[0].label(), "lab");
        assert!(inventory.keys.is_none());
    });
}

/// The links that were found broken, and how many were checked.
fn diagnose(access: TokenAccess) -> (usize, Option<Link>) {
    let findings = block_on(access.diagnose());
    let broken = findings.iter().find_map(|finding| match finding {
        Finding::Broken(link, _) => Some(*link),
        _ => None,
    });
    (findings.len(), broken)
}

#[test]
fn a_diagnosis_finds_the_link_that_is_broken() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        assert_eq!(diagnose(access(bed, "object=rsa")), (Link::ALL.len(), None));
        let module = TokenAccess::new("pkcs11:token=lab?module-path=/no/such.so".parse().unwrap());
        assert_eq!(diagnose(module), (1, Some(Link::Module)));
        assert_eq!(diagnose(access(bed, "serial=0")).1, Some(Link::Token));
        let wrong = TokenAccess::new(bed.uri("object=rsa").parse().unwrap()).with_pin(pin("9999"));
        assert_eq!(diagnose(wrong).1, Some(Link::Login));
        assert_eq!(diagnose(access(bed, "object=missing")).1, Some(Link::Key));
        bed.generate_p256("02", "without-public-half");
        bed.delete_public("02");
        let (checked, broken) = diagnose(access(bed, "object=without-public-half"));
        assert_eq!((checked, broken), (Link::ALL.len(), None), "it may be in a file");
        bed.faults().set("C_Sign 0 -1 0x30 before\n");
        assert_eq!(diagnose(access(bed, "object=rsa")).1, Some(Link::Signature));
    });
}
