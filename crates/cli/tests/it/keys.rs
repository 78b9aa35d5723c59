//! `soticket key`: every format, read back here and by OpenSSL.

use crate::support::{Desk, openssl};

/// The format, the key's type, and how OpenSSL is told to read it.
const FORMATS: &[(&str, &str, &str)] = &[
    ("pkcs8", "rsa2048", "pkey -inform PEM"),
    ("pkcs8-der", "rsa2048", "pkey -inform DER"),
    ("pkcs1", "rsa2048", "rsa -inform PEM"),
    ("pkcs1-der", "rsa2048", "rsa -inform DER"),
    ("pkcs8", "p256", "pkey -inform PEM"),
    ("sec1", "p256", "ec -inform PEM"),
    ("sec1-der", "p256", "ec -inform DER"),
];

fn fingerprint(desk: &Desk, key: &str) -> String {
    let json = desk.soticket("key inspect --format json").arg(key).run().json();
    json["key_sha256"].as_str().unwrap().to_owned()
}

#[test]
fn every_format_is_the_same_key_to_openssl() {
    for (format, key_type, reading) in FORMATS {
        let desk = Desk::new();
        let run = desk.soticket("key generate --out key --public-out public.pem --type");
        run.arg(key_type).arg("--to").arg(format).run().done();
        let public = openssl(&format!("{reading} -in key -pubout"), &desk);
        assert_eq!(public, desk.read("public.pem"), "{format}");
    }
}

#[test]
fn a_key_survives_the_way_through_all_formats() {
    for (key_type, formats) in [
        ("rsa2048", &["xml", "pkcs1", "pkcs1-der", "pkcs8-der", "pkcs8"][..]),
        ("p256", &["sec1", "sec1-der", "pkcs8-der", "pkcs8"][..]),
    ] {
        let desk = Desk::new();
        desk.soticket("key generate --out key0 --type").arg(key_type).run().done();
        for (number, format) in formats.iter().enumerate() {
            let (from, to) = (format!("key{number}"), format!("key{}", number + 1));
            desk.soticket("key convert").arg(&from).args(["--to", format, "--out", &to]).run().done();
            assert_eq!(fingerprint(&desk, &to), fingerprint(&desk, "key0"), "{format}");
        }
        let last = format!("key{}", formats.len());
        assert_eq!(desk.read(&last), desk.read("key0"), "PKCS#8 again, and nothing was lost");
    }
}

#[test]
fn an_encrypted_key_needs_its_passphrase_in_openssl_and_here() {
    let desk = Desk::new();
    desk.write("passphrase", "correct horse\n");
    let generate = "key generate --encrypt --new-key-passphrase-file passphrase --out key.pem";
    desk.soticket(generate).run().done();
    assert!(desk.read("key.pem").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    openssl("pkey -in key.pem -passin file:passphrase -pubout", &desk);
    desk.soticket("key inspect key.pem --key-passphrase-file passphrase").run().done();
    desk.soticket("key inspect key.pem").env("SOTICKET_KEY_PASSPHRASE", "correct horse").run().done();
    let err = desk.soticket("key inspect key.pem").env("SOTICKET_KEY_PASSPHRASE", "wr0ng").run().failed(3);
    assert!(err.contains("passphrase") && !err.contains("wr0ng"), "{err}");
    let err = desk.soticket("key inspect key.pem").run().failed(2);
    assert!(err.contains("SOTICKET_KEY_PASSPHRASE"), "{err}");
}

#[test]
fn a_file_that_exists_is_kept_unless_it_is_to_be_replaced() {
    let desk = Desk::new();
    desk.write("key.pem", "precious");
    let err = desk.soticket("key generate --type p256 --out key.pem").run().failed(2);
    assert!(err.contains("--force"), "{err}");
    assert_eq!(desk.read("key.pem"), "precious");
    desk.soticket("key generate --type p256 --out key.pem --force").run().done();
    assert_ne!(desk.read("key.pem"), "precious");
}

#[cfg(unix)]
#[test]
fn a_key_is_written_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    desk.write("key.pem", "old");
    crate::support::set_mode(&desk.path("key.pem"), 0o644);
    desk.soticket("key generate --type p256 --out key.pem --force").run().done();
    let mode = std::fs::metadata(desk.path("key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> =
        std::fs::read_dir(desk.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["key.pem"], "nothing is left beside it");
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    let desk = Desk::new();
    for arguments in [
        "key generate --out key --type p256 --to xml",
        "key generate --out key --type p256 --to pkcs1",
        "key generate --out key --type rsa2048 --to sec1",
        "key generate --out key --encrypt --to pkcs1",
        "key generate --out key --type ed25519",
        "key generate --out key --type p256 --public-out key",
    ] {
        desk.soticket(arguments).run().failed(2);
        assert!(!desk.path("key").exists(), "{arguments}");
    }
}

#[test]
fn a_key_to_standard_output_is_the_key_alone() {
    let desk = Desk::new();
    let out = desk.soticket("key generate --type p256 --out -").run().done();
    assert!(out.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{out}");
    assert!(out.ends_with("-----END PRIVATE KEY-----\n"), "{out}");
}

#[test]
fn inspect_says_what_a_key_is_and_shows_nothing_of_it() {
    let desk = Desk::new();
    desk.soticket("key generate --out key.pem --public-out public.pem").run().done();
    let out = desk.soticket("key inspect key.pem").run().done();
    for told in ["RS256", "2048", "PKCS#8", "SHA-256"] {
        assert!(out.contains(told), "{told}: {out}");
    }
    assert!(!out.contains("BEGIN"), "{out}");
    let public = desk.soticket("key inspect key.pem --public").run().done();
    assert_eq!(public, desk.read("public.pem"));
}

#[test]
fn a_1024_bit_key_is_warned_of() {
    let desk = Desk::new();
    openssl("genrsa -out small.pem 1024", &desk);
    let json = desk.soticket("key inspect small.pem --format json").run().json();
    assert_eq!(json["bits"], 1024);
    assert!(!json["warnings"].as_array().unwrap().is_empty());
}
