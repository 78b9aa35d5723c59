//! Each device makes a key that signs, and the module between does what it is told.

use soticket_pkcs11_testbed::{Bed, Device, isolated};

/// A signature by pkcs11-tool, verified by OpenSSL.
fn sign_and_verify(bed: &Bed) {
    bed.generate_rsa("01", "rsa", 2048);
    let file = |name: &str| bed.folder().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("message"), "hello").unwrap();
    std::fs::write(file("public.pem"), bed.public_key_pem("01")).unwrap();
    let (message, signature, public) = (file("message"), file("signature"), file("public.pem"));
    let mechanism = ["--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01"];
    bed.tool(mechanism.into_iter().chain(["--input-file", &message, "--output-file", &signature]));
    let verify = ["dgst", "-sha256", "-verify", &public, "-signature", &signature, &message];
    let verified = std::process::Command::new("openssl").args(verify).status().unwrap();
    assert!(verified.success());
}

#[test]
fn softhsm_signs() {
    isolated!(Device::SoftHsm.setup(), sign_and_verify);
}

#[test]
fn nss_signs() {
    isolated!(Device::Nss.setup(), sign_and_verify);
}

#[test]
fn a_token_behind_p11_kit_signs() {
    isolated!(Device::P11Kit.setup(), sign_and_verify);
}

#[test]
#[ignore = "needs kryoptic, which cargo xtask softhsm-test builds"]
fn kryoptic_signs() {
    isolated!(Device::Kryoptic.setup(), sign_and_verify);
}

/// pkcs11-tool through the module that fails on demand.
fn list_slots(bed: &Bed) -> bool {
    let module = bed.module().to_str().unwrap();
    let list = std::process::Command::new("pkcs11-tool").args(["--module", module, "--list-slots"]).output();
    list.unwrap().status.success()
}

#[test]
fn a_rule_strikes_the_calls_that_it_names_and_the_log_tells_all() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        assert!(list_slots(bed));
        let before = bed.faults().calls();
        assert_eq!(before.first().unwrap().function, "C_Initialize");
        assert!(before.iter().all(|call| call.code == Some(0)), "{before:#?}");
        bed.faults().set("C_GetSlotList 0 -1 0x30 before\n");
        assert!(!list_slots(bed));
        let calls = bed.faults().calls();
        let struck: Vec<_> = calls.iter().filter(|call| call.code == Some(0x30)).collect();
        assert!(
            struck.iter().all(|call| call.function == "C_GetSlotList") && !struck.is_empty(),
            "{calls:#?}"
        );
        bed.faults().clear();
        assert!(list_slots(bed));
    });
}
