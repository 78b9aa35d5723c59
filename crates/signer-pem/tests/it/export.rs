//! Writing keys: what is written is read back as the same key, by this crate and by openssl.

use soticket_core::SecretText;
use soticket_signer_pem::{KeyDerivation, KeyType, Passphrase, PrivateKey};

use crate::support::{PASSPHRASE, bytes, openssl, parse, text};

fn key(name: &str) -> PrivateKey {
    parse(bytes(name)).unwrap().into_key()
}

/// Leading text aside, what openssl writes is what this crate writes.
#[test]
fn pem_and_der_are_byte_for_byte_what_openssl_writes() {
    for bits in [1024, 1536, 2048, 3072, 4096] {
        let name = |format: &str| format!("test-key-rsa{bits}.{format}");
        let key = key(&name("xml"));
        assert_eq!(key.to_pkcs8_pem().unwrap().expose(), text(&name("pkcs8.pem")));
        assert_eq!(*key.to_pkcs8_der().unwrap(), bytes(&name("pkcs8.der")));
        assert_eq!(key.to_pkcs1_pem().unwrap().expose(), text(&name("pkcs1.pem")));
        assert_eq!(*key.to_pkcs1_der().unwrap(), bytes(&name("pkcs1.der")));
        assert_eq!(key.to_xml().unwrap().expose(), text(&name("xml")));
    }
    let key = key("test-key-p256.pkcs8.pem");
    assert_eq!(key.to_pkcs8_pem().unwrap().expose(), text("test-key-p256.pkcs8.pem"));
    assert_eq!(*key.to_pkcs8_der().unwrap(), bytes("test-key-p256.pkcs8.der"));
    assert_eq!(key.to_sec1_pem().unwrap().expose(), text("test-key-p256.sec1.pem"));
    assert_eq!(*key.to_sec1_der().unwrap(), bytes("test-key-p256.sec1.der"));
}

#[test]
fn numbers_that_were_missing_are_written() {
    let computed = key("test-key-rsa1024.without-crt.xml");
    let read_back = parse(computed.to_pkcs1_der().unwrap().as_slice()).unwrap();
    assert_eq!(read_back.key().public_key(), key("test-key-rsa1024.xml").public_key());
}

#[test]
fn formats_that_cannot_hold_a_key_are_refused_with_the_one_that_can() {
    let (rsa, ec) = (key("test-key-rsa2048.xml"), key("test-key-p256.pkcs8.pem"));
    assert_eq!(rsa.to_sec1_pem().unwrap_err().to_string(), "SEC1 holds EC keys only; write it as PKCS#8");
    assert_eq!(ec.to_pkcs1_der().unwrap_err().to_string(), "PKCS#1 holds RSA keys only; write it as PKCS#8");
    assert_eq!(ec.to_xml().unwrap_err().to_string(), "RSAKeyValue holds RSA keys only; write it as PKCS#8");
}

#[test]
fn encrypted_keys_are_read_back_here_and_by_openssl() {
    let passphrase = SecretText::new(PASSPHRASE.to_owned());
    let schemes = [
        (KeyDerivation::Scrypt, "PKCS#8 PEM, encrypted (PBES2 scrypt AES-256-CBC)"),
        (KeyDerivation::Pbkdf2, "PKCS#8 PEM, encrypted (PBES2 PBKDF2 HMAC-SHA-256 AES-256-CBC)"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    for (derivation, scheme) in schemes {
        for name in ["test-key-rsa2048.pkcs8.pem", "test-key-p256.pkcs8.pem"] {
            let pem = key(name).to_encrypted_pkcs8_pem(&passphrase, derivation).unwrap();
            let read_back =
                PrivateKey::parse(pem.expose().as_bytes(), Passphrase::text(passphrase.clone())).unwrap();
            assert_eq!(read_back.key().public_key(), key(name).public_key());
            assert_eq!(read_back.format().to_string(), scheme);
            std::fs::write(&file, pem.expose()).unwrap();
            let password = format!("pass:{PASSPHRASE}");
            let plain = openssl(&["pkcs8", "-in", file.to_str().unwrap(), "-passin", &password]);
            assert_eq!(String::from_utf8(plain).unwrap(), text(name));
        }
    }
}

#[test]
fn encryption_is_salted_and_needs_a_passphrase() {
    let key = key("test-key-p256.pkcs8.pem");
    let passphrase = SecretText::new(PASSPHRASE.to_owned());
    let encrypt = || key.to_encrypted_pkcs8_pem(&passphrase, KeyDerivation::Scrypt).unwrap();
    assert_ne!(encrypt().expose(), encrypt().expose());
    let empty = SecretText::new(String::new());
    assert_eq!(
        key.to_encrypted_pkcs8_pem(&empty, KeyDerivation::Scrypt).unwrap_err().to_string(),
        "the new passphrase is empty; choose one, or write the key unencrypted"
    );
}

#[test]
fn every_kind_of_key_can_be_generated_and_read_back() {
    for kind in KeyType::ALL {
        let key = PrivateKey::generate(kind).unwrap();
        let read_back = parse(key.to_pkcs8_pem().unwrap().expose()).unwrap();
        assert_eq!(read_back.key().public_key(), key.public_key());
        assert_eq!(kind.name().parse::<KeyType>().unwrap(), kind);
        assert!(kind.name().ends_with(&key.bits().to_string()), "{kind} has {} bits", key.bits());
        assert!(crate::support::build_from(key.to_pkcs8_der().unwrap().as_slice()).is_ok());
    }
    assert_eq!(
        "rsa1024".parse::<KeyType>().unwrap_err().to_string(),
        "`rsa1024` is no kind of key; choose rsa2048, rsa3072, rsa4096 or p256"
    );
}

#[test]
fn debug_of_a_key_and_of_what_is_written_shows_no_private_part() {
    let loaded = parse(bytes("test-key-rsa1024.xml")).unwrap();
    let xml = text("test-key-rsa1024.xml");
    let shown = format!("{loaded:?} {:?} {:?}", loaded.key(), loaded.key().to_pkcs8_pem().unwrap());
    assert!(shown.contains("PrivateKey { public_key: PublicKey {"), "{shown}");
    assert!(shown.ends_with("[redacted]"), "{shown}");
    let d = xml.split("<D>").nth(1).unwrap().split('<').next().unwrap();
    assert!(!shown.contains(&d[..8]));
}
