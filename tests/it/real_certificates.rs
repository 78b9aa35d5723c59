//! SuperOffice's published certificates can be pinned as they are.
//!
//! They are SuperOffice's to publish and not ours, so they lie beside the checkout (or where
//! `SOTICKET_TEST_CERTIFICATES` says) and are named here by their fingerprints.

use std::path::PathBuf;
use std::process::Command;

use soticket::PinnedKeys;

/// Each environment's Federated Login certificate, with the SHA-256 of its DER as published.
const LOGIN_CERTIFICATES: [(&str, &str); 3] = [
    ("sod_login.crt", "D2AA338F0E31A483C3A22CC053BDA26E617D8A91EBB48706AB09C34EB015A4B8"),
    ("stage_login.crt", "BA942C6E17EDB4D223D3380793D3A88F2CB33DD3593D295274132D9D44FC07F2"),
    ("online_login.crt", "405066FCA007ECFDB2CF2073ED54B2A987B0E8D8F452222FDC6FA02987260CD7"),
];
const AUTHORITIES: [&str; 4] = ["root.crt", "sod.crt", "stage.crt", "online.crt"];

fn folder() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/certificates");
    std::env::var_os("SOTICKET_TEST_CERTIFICATES").map_or_else(|| beside.into(), PathBuf::from)
}

fn openssl(arguments: &[&str], file: &str) -> Vec<u8> {
    let output =
        Command::new("openssl").args(arguments).arg("-in").arg(folder().join(file)).output().unwrap();
    assert!(
        output.status.success(),
        "openssl {arguments:?} {file}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
#[ignore = "needs SuperOffice's published certificates, in ../shared/certificates or SOTICKET_TEST_CERTIFICATES"]
fn the_login_certificates_pin_the_keys_that_openssl_sees() {
    for (file, fingerprint) in LOGIN_CERTIFICATES {
        let seen = openssl(&["x509", "-noout", "-fingerprint", "-sha256"], file);
        assert!(
            String::from_utf8(seen).unwrap().replace(':', "").contains(fingerprint),
            "{file} is another one"
        );

        let pinned = PinnedKeys::from_pem_or_der(&std::fs::read(folder().join(file)).unwrap()).unwrap();
        let [key] = pinned.public_keys() else { panic!("one key was expected in {file}") };
        assert_eq!(key.bits(), 2048);
        let seen = openssl(&["x509", "-noout", "-pubkey"], file);
        assert_eq!(key.to_pem(), String::from_utf8(seen).unwrap(), "{file}");
    }
}

#[test]
#[ignore = "needs SuperOffice's published certificates, in ../shared/certificates or SOTICKET_TEST_CERTIFICATES"]
fn der_and_the_authorities_are_read_too_and_all_can_be_pinned_at_once() {
    let mut pinned = PinnedKeys::default();
    for (file, _) in LOGIN_CERTIFICATES {
        pinned = pinned.and_pem_or_der(&openssl(&["x509", "-outform", "DER"], file)).unwrap();
    }
    for file in AUTHORITIES {
        pinned = pinned.and_pem_or_der(&std::fs::read(folder().join(file)).unwrap()).unwrap();
    }
    assert_eq!(pinned.public_keys().len(), LOGIN_CERTIFICATES.len() + AUTHORITIES.len());
}
