//! Where passphrases come from, when they are asked for, and what is said when they do not fit.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use der::Encode;
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params, Pbkdf2Prf, Salt, ScryptParams};
use soticket_core::{SecretText, SignerError, SignerErrorKind, TokenSigner};
use soticket_signer_pem::{KeyError, KeySource, Passphrase, PemSigner, PrivateKey};

use crate::support::{PASSPHRASE, bytes, path};

const ENCRYPTED: &str = "test-key-rsa2048.scrypt-aes256.pem";
const PLAIN: &str = "test-key-p256.pkcs8.der";

fn build(name: &str, passphrase: Passphrase) -> Result<PemSigner, SignerError> {
    PemSigner::builder(KeySource::memory("given", bytes(name))).with_passphrase(passphrase).build()
}

fn refusal(passphrase: Passphrase) -> (SignerErrorKind, String) {
    let error = build(ENCRYPTED, passphrase).expect_err("this passphrase must be refused");
    (error.kind(), error.to_string())
}

fn text(passphrase: &str) -> Passphrase {
    Passphrase::text(SecretText::new(passphrase.to_owned()))
}

#[test]
fn a_passphrase_file_may_end_in_a_line_end_and_nothing_else_is_taken_off() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passphrase");
    for line_end in ["", "\n", "\r\n"] {
        fs::write(&file, format!("{PASSPHRASE}{line_end}")).unwrap();
        assert!(build(ENCRYPTED, Passphrase::file(&file)).is_ok(), "{line_end:?}");
    }
    fs::write(&file, format!("{PASSPHRASE}\n\n")).unwrap();
    assert!(build(ENCRYPTED, Passphrase::file(&file)).is_err());
}

#[test]
fn an_environment_variable_gives_the_passphrase() {
    // Cargo sets variables for tests; one with a known value stands in for the operator's.
    let name = "CARGO_PKG_NAME";
    let key = PrivateKey::parse(&bytes(PLAIN), Passphrase::none()).unwrap().into_key();
    let value = SecretText::new(std::env::var(name).unwrap());
    let pem = key.to_encrypted_pkcs8_pem(&value, soticket_signer_pem::KeyDerivation::Scrypt).unwrap();
    let read = PrivateKey::parse(pem.expose().as_bytes(), Passphrase::environment(name)).unwrap();
    assert_eq!(read.key().public_key(), key.public_key());
}

#[test]
fn a_callback_is_asked_once_and_only_for_an_encrypted_key() {
    let asked = Arc::new(AtomicUsize::new(0));
    let callback = |answer: &'static str| {
        let asked = Arc::clone(&asked);
        Passphrase::callback(move || {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok::<_, io::Error>(SecretText::new(answer.to_owned()))
        })
    };
    let plain = build(PLAIN, callback(PASSPHRASE)).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(plain.key_info().warnings().is_empty(), "an offer to ask is no passphrase that was given");
    build(ENCRYPTED, callback(PASSPHRASE)).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    build(ENCRYPTED, callback("wrong")).unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_passphrase_for_an_unencrypted_key_is_warned_of_and_not_refused() {
    let signer = build(PLAIN, text(PASSPHRASE)).unwrap();
    assert_eq!(
        signer.key_info().warnings(),
        ["a passphrase was given, but the key is stored unencrypted; \
          encrypt it with `soticket key convert`, or stop giving a passphrase"]
    );
}

/// How a refusal is shown, with the folder's name taken out.
fn shown(folder: &tempfile::TempDir, passphrase: Passphrase) -> String {
    let (kind, message) = refusal(passphrase);
    format!("{kind:?}: {}", message.replace(folder.path().to_str().unwrap(), "DIR"))
}

#[test]
fn each_way_a_passphrase_can_be_missing_or_wrong_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        shown(&folder, Passphrase::none()),
        "Configuration: key `given`: the key is encrypted and no passphrase was given; \
         give one through a file, an environment variable or a prompt"
    );
    assert_eq!(
        shown(&folder, text("wrong")),
        "Key: key `given`: the passphrase is wrong, or the encrypted key is damaged; check the passphrase first"
    );
    assert_eq!(
        shown(&folder, text("")),
        "Configuration: key `given`: the passphrase text holds an empty passphrase; write the key's passphrase there"
    );
    assert_eq!(
        shown(&folder, Passphrase::file(folder.path().join("none"))),
        "Configuration: key `given`: no passphrase can be had from the passphrase file `DIR/none`: \
         there is no such file; check the path"
    );
    assert_eq!(
        shown(&folder, Passphrase::file(folder.path())),
        "Configuration: key `given`: no passphrase can be had from the passphrase file `DIR`: \
         this is a directory; name the file inside it"
    );
    assert_eq!(
        shown(&folder, Passphrase::environment("SOTICKET_TEST_NO_SUCH_VARIABLE")),
        "Configuration: key `given`: no passphrase can be had from the environment variable \
         `SOTICKET_TEST_NO_SUCH_VARIABLE`, which is not set; set it to the key's passphrase"
    );
    assert_eq!(
        shown(&folder, Passphrase::callback(|| Err(io::Error::other("no terminal")))),
        "Configuration: key `given`: no passphrase can be had from the passphrase prompt"
    );
}

#[test]
fn a_passphrase_file_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, contents: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, contents).unwrap();
        file
    };
    for empty in ["", "\n", "\r\n"] {
        assert_eq!(
            shown(&folder, Passphrase::file(at("empty", empty.as_bytes()))),
            "Configuration: key `given`: the passphrase file `DIR/empty` holds an empty passphrase; \
             write the key's passphrase there"
        );
    }
    assert_eq!(
        shown(&folder, Passphrase::file(at("long", &[b'x'; 5000]))),
        "Configuration: key `given`: the passphrase file `DIR/long` holds more than 4096 bytes, \
         which no passphrase has; check what is in it"
    );
    assert_eq!(
        shown(&folder, Passphrase::file(at("binary", &[0xff, 0x80]))),
        "Configuration: key `given`: no passphrase can be had from the passphrase file `DIR/binary`, \
         which is not text in UTF-8"
    );
}

#[test]
fn a_failed_callback_is_the_cause_of_the_error() {
    let error = build(ENCRYPTED, Passphrase::callback(|| Err(io::Error::other("no terminal")))).unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no terminal");
}

#[test]
fn debug_shows_where_a_passphrase_is_and_never_what() {
    let debug = [
        format!("{:?}", text("hunter2")),
        format!("{:?}", Passphrase::file("/run/secrets/pass")),
        format!("{:?}", Passphrase::environment("KEY_PASS")),
        format!(
            "{:?}",
            PemSigner::builder(KeySource::memory("given", b"hunter2".to_vec()))
                .with_passphrase(text("hunter2"))
        ),
    ];
    assert_eq!(debug[0], "Passphrase([redacted])");
    assert_eq!(debug[1], "Passphrase(file /run/secrets/pass)");
    assert_eq!(debug[2], "Passphrase(environment KEY_PASS)");
    assert!(!debug[3].contains("hunter2"), "{}", debug[3]);
}

/// An encrypted key whose file names the given derivation; what is encrypted does not matter.
fn file_with(kdf: Kdf) -> Vec<u8> {
    let parameters = Parameters { kdf, encryption: EncryptionScheme::Aes256Cbc { iv: [0; 16] } };
    pkcs8::EncryptedPrivateKeyInfoRef {
        encryption_algorithm: parameters.into(),
        encrypted_data: der::asn1::OctetStringRef::new(&[0; 64]).unwrap(),
    }
    .to_der()
    .unwrap()
}

fn scrypt(n: u64, r: u16, p: u16) -> Vec<u8> {
    let salt = Salt::new([0; 16]).unwrap();
    file_with(Kdf::Scrypt(ScryptParams {
        salt,
        cost_parameter: n,
        block_size: r,
        parallelization: p,
        key_length: None,
    }))
}

fn problem(file: &[u8]) -> KeyError {
    // Whoever looks the passphrase up has gone too far.
    let passphrase =
        Passphrase::callback(|| -> Result<SecretText, io::Error> { panic!("asked for a passphrase") });
    PrivateKey::parse(file, passphrase).unwrap_err()
}

#[test]
fn a_hostile_file_cannot_ask_for_memory_or_time_without_bound() {
    for (n, r, p) in [
        (1 << 21, 8, 1),
        (1 << 62, 8, 1),
        (1 << 14, 8, 17),
        (3, 8, 1),
        (0, 8, 1),
        (1, 8, 1),
        (2, 0, 1),
        (2, 1, 0),
    ] {
        let error = problem(&scrypt(n, r, p)).to_string();
        assert!(
            error.starts_with(&format!(
                "the key's encryption asks for scrypt with N={n}, r={r}, p={p}; at most "
            )),
            "{error}"
        );
    }
    for iterations in [0, 10_000_001, u32::MAX] {
        let kdf = Kdf::Pbkdf2(Pbkdf2Params {
            salt: Salt::new([0; 16]).unwrap(),
            iteration_count: iterations,
            key_length: None,
            prf: Pbkdf2Prf::HmacWithSha256,
        });
        let error = problem(&file_with(kdf)).to_string();
        assert!(
            error.starts_with(&format!("the key's encryption asks for {iterations} iterations of PBKDF2; ")),
            "{error}"
        );
    }
}

#[test]
fn every_pseudo_random_function_of_pbkdf2_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.der");
    for (openssl_name, ours) in [("hmacWithSHA224", "HMAC-SHA-224"), ("hmacWithSHA384", "HMAC-SHA-384")] {
        let (plain, out) = (path("test-key-p256.pkcs8.pem"), file.to_str().unwrap());
        let options =
            ["-topk8", "-v2", "aes-256-cbc", "-v2prf", openssl_name, "-outform", "DER", "-out", out];
        let password = format!("pass:{PASSPHRASE}");
        let input = ["pkcs8", "-in", plain.to_str().unwrap(), "-passout", &password];
        crate::support::openssl(&[&input[..], &options[..]].concat());
        let loaded = PrivateKey::parse(&fs::read(&file).unwrap(), text(PASSPHRASE)).unwrap();
        assert_eq!(loaded.format().encryption(), Some(format!("PBES2 PBKDF2 {ours} AES-256-CBC").as_str()));
    }
}

#[test]
fn authenticated_encryption_is_read() {
    let der = bytes("test-key-p256.pkcs8.der");
    let kdf = || {
        Kdf::Pbkdf2(Pbkdf2Params {
            salt: Salt::new([7; 16]).unwrap(),
            iteration_count: 1000,
            key_length: None,
            prf: Pbkdf2Prf::HmacWithSha256,
        })
    };
    let nonce = [9; 12];
    for (encryption, name) in [
        (EncryptionScheme::Aes128Gcm { nonce }, "AES-128-GCM"),
        (EncryptionScheme::Aes256Gcm { nonce }, "AES-256-GCM"),
    ] {
        let info = pkcs8::PrivateKeyInfoRef::try_from(der.as_slice()).unwrap();
        let encrypted = info.encrypt_with_params(Parameters { kdf: kdf(), encryption }, PASSPHRASE).unwrap();
        let loaded = PrivateKey::parse(encrypted.as_bytes(), text(PASSPHRASE)).unwrap();
        assert_eq!(
            loaded.format().to_string(),
            format!("PKCS#8 DER, encrypted (PBES2 PBKDF2 HMAC-SHA-256 {name})")
        );
    }
}

#[test]
fn a_signer_error_names_the_file() {
    let error = PemSigner::builder(KeySource::file(path(ENCRYPTED))).build().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("key file `{}`: the key is encrypted", path(ENCRYPTED).display()))
    );
}
