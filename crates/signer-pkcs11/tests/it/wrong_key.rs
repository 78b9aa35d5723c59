//! The trap: a key is deleted and another made under its id while we run.

use soticket_core::{PublicKey, SignerErrorKind, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, isolated};

use crate::support::{build, builder, eventually, openssl_verifies, rsa_signer, sign, whole};

/// Another process replaces the key; then the signer is asked until it has noticed.
fn replace_the_key(bed: &Bed) {
    bed.delete("01");
    bed.generate_rsa("01", "rsa", 2048);
}

fn never_signs_with_another_key(bed: &Bed) {
    let signer = rsa_signer(bed);
    let pinned = signer.key_info().public_key().clone();
    openssl_verifies(bed, &pinned, &sign(&signer).unwrap());
    replace_the_key(bed);
    for _ in 0..20 {
        // The old key may live on in the module for a while; then its signatures are right.
        match sign(&signer) {
            Ok(signature) => openssl_verifies(bed, &pinned, &signature),
            Err(error) => {
                assert_eq!(error.kind(), SignerErrorKind::Untrusted, "{}", whole(&error));
                assert!(whole(&error).contains(&pinned.fingerprint()), "{}", whole(&error));
            }
        }
    }
    assert!(sign(&signer).is_err(), "the key is gone, and still it signs");
    // Whoever means the new key opens it anew.
    drop(signer);
    let signer = build(builder(bed, "id=%01")).unwrap();
    let new = PublicKey::from_pem(&bed.public_key_pem("01")).unwrap();
    assert_ne!(new, pinned);
    openssl_verifies(bed, &new, &sign(&signer).unwrap());
}

#[test]
fn softhsm_never_signs_with_another_key() {
    isolated!(Device::SoftHsm.setup(), never_signs_with_another_key);
}

#[test]
fn a_token_behind_p11_kit_never_signs_with_another_key() {
    isolated!(Device::P11Kit.setup(), never_signs_with_another_key);
}

#[test]
fn the_old_key_that_comes_back_is_signed_with_again() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        let pem = soticket_signer_conformance::TestKey::Rsa2048;
        bed.import("01", "rsa", pem.private_pem());
        let signer = build(builder(bed, "object=rsa")).unwrap();
        bed.delete("01");
        bed.generate_rsa("01", "rsa", 2048);
        eventually("the exchange is noticed", || sign(&signer).is_err());
        bed.delete("01");
        bed.import("01", "rsa", pem.private_pem());
        eventually("the right key signs again", || sign(&signer).is_ok());
        openssl_verifies(bed, &pem.public_key(), &sign(&signer).unwrap());
    });
}

/// Object handles are numbers that a restarted module gives out anew: here, the other key gets the first one.
#[test]
fn a_restart_that_renumbers_objects_is_survived() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "first", 2048);
        bed.generate_rsa("02", "second", 2048);
        let signers: Vec<_> =
            ["first", "second"].map(|label| build(builder(bed, &format!("object={label}"))).unwrap()).into();
        for _ in 0..5 {
            // Only a restart of the module helps against this.
            bed.faults().set("C_Sign 0 3 0x30 before\n");
            for signer in &signers {
                let key = signer.key_info().public_key().clone();
                eventually("it signs", || sign(signer).is_ok());
                openssl_verifies(bed, &key, &sign(signer).unwrap());
            }
            bed.faults().clear();
        }
        assert!(bed.faults().count("C_Finalize") > 1, "the module was not started anew");
        bed.faults().assert_sessions_are_their_epochs();
    });
}
