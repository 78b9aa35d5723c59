//! Every format, for every kind and size of key, signs and is verified by core and by openssl.

use soticket_core::{Exportability, SigningAlgorithm, TokenSigner};
use soticket_signer_pem::{Container, Encoding, PemSigner, PrivateKey};

use crate::support::{
    MESSAGE, assert_openssl_verifies, build, build_from, bytes, expected_public_key, is_encrypted, openssl,
    parse, passphrase, path, refusal, sign, text,
};

const RSA_FORMATS: [&str; 5] = ["pkcs1.pem", "pkcs1.der", "pkcs8.pem", "pkcs8.der", "xml"];
const EC_FORMATS: [&str; 5] = ["sec1.pem", "sec1.der", "pkcs8.pem", "pkcs8.der", "sec1-parameters.pem"];
const ENCRYPTED_FORMATS: [&str; 8] = [
    "pbkdf2-sha256-aes128.pem",
    "pbkdf2-sha256-aes192.pem",
    "pbkdf2-sha256-aes256.pem",
    "pbkdf2-sha256-aes256.der",
    "pbkdf2-sha1-aes256.pem",
    "pbkdf2-sha512-aes256.pem",
    "scrypt-aes256.pem",
    "scrypt-aes256.der",
];

fn assert_rsa(bits: u32) {
    let key = format!("test-key-rsa{bits}");
    let expected = openssl(&[
        "dgst",
        "-sha256",
        "-sign",
        path(&format!("{key}.pkcs8.pem")).to_str().unwrap(),
        message_file().path().to_str().unwrap(),
    ]);
    let mut formats = RSA_FORMATS.to_vec();
    if bits == 2048 {
        formats.extend(ENCRYPTED_FORMATS);
        formats.push("bag-attributes.pem");
    }
    if bits == 1024 {
        formats.extend(["loose.xml", "utf16.xml", "without-crt.xml"]);
    }
    for format in formats {
        let signer = build(&format!("{key}.{format}")).unwrap_or_else(|error| panic!("{format}: {error}"));
        let signature = sign(&signer);
        assert_eq!(signer.key_info().algorithm(), SigningAlgorithm::Rs256);
        assert_eq!(signer.key_info().public_key(), &expected_public_key(&key), "{format}");
        assert_eq!(signer.key_info().public_key().bits(), bits);
        assert_eq!(signature.as_bytes(), expected, "{key}.{format} signs other bytes than openssl");
        signer.key_info().public_key().verify(MESSAGE, &signature).unwrap();
    }
    assert_openssl_verifies(&key, SigningAlgorithm::Rs256, &sign(&build(&format!("{key}.xml")).unwrap()));
}

fn message_file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), MESSAGE).unwrap();
    file
}

#[test]
fn rsa_1024_signs_from_every_format_as_openssl_does() {
    assert_rsa(1024);
}

#[test]
fn rsa_1536_signs_from_every_format_as_openssl_does() {
    assert_rsa(1536);
}

#[test]
fn rsa_2048_signs_from_every_format_encrypted_ones_too_as_openssl_does() {
    assert_rsa(2048);
}

#[test]
fn rsa_3072_signs_from_every_format_as_openssl_does() {
    assert_rsa(3072);
}

#[test]
fn rsa_4096_signs_from_every_format_as_openssl_does() {
    assert_rsa(4096);
}

#[test]
fn p256_signs_in_jose_form_from_every_format_and_openssl_verifies() {
    for format in EC_FORMATS.iter().chain(&ENCRYPTED_FORMATS) {
        let signer =
            build(&format!("test-key-p256.{format}")).unwrap_or_else(|error| panic!("{format}: {error}"));
        let signature = sign(&signer);
        assert_eq!(signer.key_info().algorithm(), SigningAlgorithm::Es256);
        assert_eq!(signer.key_info().public_key(), &expected_public_key("test-key-p256"), "{format}");
        signer.key_info().public_key().verify(MESSAGE, &signature).unwrap();
        assert_openssl_verifies("test-key-p256", SigningAlgorithm::Es256, &signature);
    }
}

#[test]
fn the_detected_format_is_named_for_people() {
    let format = |name: &str| {
        let given = if is_encrypted(name) { passphrase() } else { soticket_signer_pem::Passphrase::none() };
        PrivateKey::parse(&bytes(name), given).unwrap().format().to_string()
    };
    let expected = [
        ("test-key-rsa2048.pkcs1.pem", "PKCS#1 PEM"),
        ("test-key-rsa2048.pkcs1.der", "PKCS#1 DER"),
        ("test-key-rsa2048.pkcs8.pem", "PKCS#8 PEM"),
        ("test-key-p256.sec1.der", "SEC1 DER"),
        ("test-key-p256.sec1-parameters.pem", "SEC1 PEM"),
        ("test-key-rsa1024.loose.xml", "RSAKeyValue XML"),
        ("test-key-rsa2048.scrypt-aes256.pem", "PKCS#8 PEM, encrypted (PBES2 scrypt AES-256-CBC)"),
        (
            "test-key-p256.pbkdf2-sha256-aes192.pem",
            "PKCS#8 PEM, encrypted (PBES2 PBKDF2 HMAC-SHA-256 AES-192-CBC)",
        ),
        (
            "test-key-p256.pbkdf2-sha1-aes256.pem",
            "PKCS#8 PEM, encrypted (PBES2 PBKDF2 HMAC-SHA-1 AES-256-CBC)",
        ),
        ("test-key-rsa2048.scrypt-aes256.der", "PKCS#8 DER, encrypted (PBES2 scrypt AES-256-CBC)"),
    ];
    for (name, expected) in expected {
        assert_eq!(format(name), expected, "{name}");
    }
}

#[test]
fn the_parts_of_the_detected_format_are_there_for_programs() {
    let loaded = PrivateKey::parse(&bytes("test-key-p256.scrypt-aes256.der"), passphrase()).unwrap();
    assert_eq!(loaded.format().container(), Container::Pkcs8);
    assert_eq!(loaded.format().encoding(), Encoding::Der);
    assert_eq!(loaded.format().encryption(), Some("PBES2 scrypt AES-256-CBC"));
}

#[test]
fn key_info_tells_what_and_where_the_key_is() {
    let signer = build("test-key-rsa2048.pkcs8.pem").unwrap();
    let info = signer.key_info();
    assert_eq!(info.backend(), "pem");
    assert_eq!(info.label(), "test-key-rsa2048.pkcs8.pem");
    assert_eq!(info.location(), path("test-key-rsa2048.pkcs8.pem").to_str().unwrap());
    assert_eq!(info.exportability(), Exportability::Exportable);
}

#[test]
fn a_key_under_2048_bits_is_warned_of_with_reason_and_cure() {
    for bits in [1024, 1536] {
        let signer = build_from(bytes(&format!("test-key-rsa{bits}.xml"))).unwrap();
        let [warning] = signer.key_info().warnings() else { panic!("one warning expected") };
        assert_eq!(
            *warning,
            format!(
                "RSA keys under 2048 bits no longer resist a determined attacker, and this one has {bits}; \
                 ask SuperOffice for a new key pair for the application"
            )
        );
    }
    assert!(build_from(bytes("test-key-rsa2048.xml")).unwrap().key_info().warnings().is_empty());
}

#[test]
fn pem_is_read_with_any_line_ends_line_length_indentation_and_byte_order_mark() {
    let pem = text("test-key-rsa2048.pkcs8.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let variants = [
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\r"),
        format!("\u{feff}{pem}"),
        pem.trim_end().to_owned(),
        format!("# partner key\n\n{pem}\nnothing more\n"),
        pem.lines().map(|line| format!("  {line}  \n")).collect(),
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"),
        format!("-----BEGIN PRIVATE KEY-----\nComment: a key\n\n{body}\n-----END PRIVATE KEY-----\n"),
    ];
    for variant in variants {
        assert_eq!(
            parse(&variant).unwrap().key().public_key(),
            &expected_public_key("test-key-rsa2048"),
            "{}",
            variant.lines().next().unwrap_or_default()
        );
    }
}

#[test]
fn text_in_another_encoding_before_a_block_does_no_harm() {
    let mut contents = b"friendlyName: Schl\xfcssel\n".to_vec();
    contents.extend(bytes("test-key-rsa2048.pkcs8.pem"));
    assert!(parse(contents).is_ok());
}

#[test]
fn the_private_key_is_found_among_other_blocks_but_there_must_be_only_one() {
    let chain = text("test-key-rsa2048.public.pem")
        + &text("mistaken.certificate.pem")
        + &text("test-key-rsa2048.pkcs1.pem");
    assert_eq!(parse(&chain).unwrap().key().public_key(), &expected_public_key("test-key-rsa2048"));
    let two = text("test-key-rsa2048.pkcs1.pem") + &text("test-key-p256.sec1.pem");
    assert_eq!(refusal(two), "the file holds 2 private keys; leave only the one to sign with");
}

#[test]
fn xml_is_read_with_namespaces_comments_entities_and_missing_padding() {
    let xml = text("test-key-rsa1024.xml");
    let inner = xml.trim_start_matches("<RSAKeyValue>").trim_end_matches("</RSAKeyValue>").to_owned();
    let prefixed = inner.replace("</", "</ds:").replace('<', "<ds:").replace("<ds:/ds:", "</ds:");
    let variants = [
        format!("<RSAKeyValue xmlns=\"http://www.w3.org/2000/09/xmldsig#\">{inner}</RSAKeyValue>"),
        format!(
            "<ds:RSAKeyValue xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{prefixed}</ds:RSAKeyValue>"
        ),
        format!("<KeyInfo><KeyValue>{xml}</KeyValue></KeyInfo>"),
        xml.replace("<Modulus>", "<Modulus><!-- the public part -->&#xD;&#10;\t "),
        xml.replace("<Exponent>AQAB", "<Exponent><![CDATA[AQ]]>AB"),
        xml.replace('=', ""),
        format!("\n\n{xml}\n"),
    ];
    for variant in variants {
        assert_eq!(
            parse(&variant).unwrap_or_else(|error| panic!("{error}")).key().public_key(),
            &expected_public_key("test-key-rsa1024"),
        );
    }
}

#[test]
fn missing_crt_numbers_of_xml_are_computed_in_whatever_combination() {
    let xml = text("test-key-rsa1024.xml");
    let expected = sign(&build_from(&xml).unwrap());
    for kept in 0..(1 << CRT.len()) {
        let mut partial = xml.clone();
        for (index, name) in CRT.iter().enumerate() {
            if kept & (1 << index) == 0 {
                partial = without(&partial, name);
            }
        }
        assert_eq!(sign(&build_from(&partial).unwrap()), expected, "kept {kept:05b}");
    }
}

const CRT: [&str; 5] = ["P", "Q", "DP", "DQ", "InverseQ"];

fn without(xml: &str, name: &str) -> String {
    let (before, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    let (_, after) = rest.split_once(&format!("</{name}>")).unwrap();
    format!("{before}{after}")
}

#[test]
fn unusual_sizes_and_exponents_sign_as_openssl_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let file = file.to_str().unwrap();
    let message = message_file();
    for (bits, exponent) in [(1024, 3), (1031, 65537), (2047, 65537), (2048, 3), (2049, 17), (3000, 65537)] {
        let (bits, exponent) = (format!("rsa_keygen_bits:{bits}"), format!("rsa_keygen_pubexp:{exponent}"));
        openssl(&[
            "genpkey",
            "-quiet",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            &bits,
            "-pkeyopt",
            &exponent,
            "-out",
            file,
        ]);
        let signer = build_from(std::fs::read(file).unwrap())
            .unwrap_or_else(|error| panic!("{bits} {exponent}: {error}"));
        let expected = openssl(&["dgst", "-sha256", "-sign", file, message.path().to_str().unwrap()]);
        assert_eq!(sign(&signer).as_bytes(), expected, "{bits} {exponent}");
    }
}

#[test]
fn primes_of_the_largest_key_are_computed_too() {
    let mut xml = text("test-key-rsa4096.xml");
    for name in CRT {
        xml = without(&xml, name);
    }
    assert_eq!(sign(&build_from(&xml).unwrap()), sign(&build("test-key-rsa4096.xml").unwrap()));
}

#[test]
fn warnings_are_logged_with_the_name_of_the_key_and_nothing_of_its_contents() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    let xml = text("test-key-rsa1024.xml");
    // For the whole process: one for this thread alone would miss what another thread reached first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    sign(&build_from(&xml).unwrap());
    let shown = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("WARN"), "{shown}");
    assert!(shown.contains("and this one has 1024; ask SuperOffice for a new key pair"), "{shown}");
    assert!(shown.contains("key=key `given`"), "{shown}");
    let numbers = xml.split(['<', '>']).filter(|part| part.len() > 20);
    for number in numbers {
        assert!(!shown.contains(&number[..20]), "{shown}");
    }
}

#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_signer_is_usable_as_a_trait_object_and_without_a_runtime_at_build() {
    let signer: Box<dyn TokenSigner> = Box::new(build("test-key-p256.sec1.pem").unwrap());
    assert_eq!(sign(&signer).as_bytes().len(), 64);
    let _: fn(PemSigner) -> std::sync::Arc<dyn TokenSigner> = |signer| std::sync::Arc::new(signer);
}
