//! What is refused, each with what was found and the cure.

use base64ct::{Base64, Encoding};
use soticket_core::SecretText;
use soticket_signer_pem::{KeySource, Passphrase, PemSigner, PrivateKey, Probe};

use crate::support::{bytes, passphrase, refusal, text};

const NEEDED: &str = "needed is an RSA key of 1024 to 4096 bits or a P-256 key";

#[test]
fn what_is_handed_over_by_mistake_is_recognised() {
    let cases = [
        ("test-key-rsa2048.public.pem", "this is a public key; signing needs the private half"),
        ("test-key-rsa1024.public.xml", "this is a public key; signing needs the private half"),
        ("mistaken.public.der", "this is a public key; signing needs the private half"),
        ("mistaken.public-pkcs1.pem", "this is a public key; signing needs the private half"),
        ("mistaken.public-pkcs1.der", "this is a public key; signing needs the private half"),
        ("mistaken.certificate.pem", "this is a certificate; a certificate holds no private key"),
        ("mistaken.certificate.der", "this is a certificate; a certificate holds no private key"),
        ("mistaken.request.pem", "this is a certificate request; a request holds no private key"),
        ("mistaken.request.der", "this is a certificate request; a request holds no private key"),
        ("mistaken.pkcs7.pem", "this is a PKCS#7 message; "),
        ("mistaken.pkcs7.der", "this is a PKCS#7 message; "),
        (
            "test-key-rsa2048.pkcs12.p12",
            "this is a PKCS#12 (PFX) file; extract the key with `openssl pkcs12 -in FILE",
        ),
    ];
    for (name, expected) in cases {
        let error = refusal(bytes(name));
        assert!(error.starts_with(expected), "{name}: {error}");
    }
}

#[test]
fn text_that_is_no_key_file_at_all_is_recognised() {
    let base64 = Base64::encode_string(&bytes("test-key-rsa2048.pkcs8.der"));
    let short = Base64::encode_string(&bytes("test-key-p256.pkcs8.der"));
    let cases = [
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "this is a private key in OpenSSH's format; convert",
        ),
        ("ssh-rsa AAAAB3NzaC1yc2E user@host", "this is an SSH public key; signing needs the private half"),
        ("PuTTY-User-Key-File-3: ssh-rsa\n", "this is a private key in PuTTY's format; export it"),
        ("{\"kty\": \"RSA\", \"n\": \"AQAB\"}", "this is a JSON Web Key; convert it to PKCS#8"),
        ("{\"keys\": [{\"kty\": \"RSA\"}]}", "this is a JSON Web Key; convert it to PKCS#8"),
        (
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n",
            "this is an OpenPGP key; ",
        ),
        (
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
            "this is parameters without a key; ",
        ),
        (&base64, "this is Base64 without PEM lines around it; put the line `"),
        (&short, "this is Base64 without PEM lines around it; put the line `"),
    ];
    for (contents, expected) in cases {
        let error = refusal(contents);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn anything_else_is_refused_with_the_formats_that_were_tried() {
    let expected = "no private key found; tried PKCS#8, encrypted PKCS#8, PKCS#1 and SEC1, each in PEM and DER, and \
                    RSAKeyValue XML; check that the file is the key and whole";
    for contents in [
        &b"hello"[..],
        b"\x30\x03\x02\x01\x01",
        b"\x30\x82\x01",
        b"<html></html>",
        b"\xff\xfeh\0i\0",
        b"\x00",
    ] {
        assert_eq!(refusal(contents), expected);
    }
}

#[test]
fn an_empty_file_is_called_that() {
    for contents in ["", " \r\n\t"] {
        assert_eq!(refusal(contents), "the file is empty; restore the key from its backup");
    }
}

#[test]
fn keys_that_cannot_sign_here_are_named() {
    let cases = [
        ("rsa512.pem", "an RSA key of 512 bits"),
        ("pss.pem", "an RSA key restricted to PSS signatures"),
        ("ed25519.pem", "an Ed25519 key"),
        ("x25519.pem", "an X25519 key"),
        ("p384.pem", "an EC key on P-384"),
        ("secp256k1.pem", "an EC key on secp256k1"),
        ("dsa.pem", "a DSA key"),
        ("dsa.der", "a DSA key"),
        ("three-primes.pem", "an RSA key of more than two primes"),
    ];
    for (name, found) in cases {
        assert_eq!(
            refusal(bytes(&format!("test-key-refused.{name}"))),
            format!("this is {found}; {NEEDED}"),
            "{name}"
        );
    }
}

#[test]
fn a_curve_spelled_out_instead_of_named_is_refused() {
    let error = refusal(bytes("test-key-refused.explicit-curve.pem"));
    assert_eq!(error, format!("this is an EC key that does not name its curve; {NEEDED}"));
}

#[test]
fn an_rsa_key_that_is_too_large_is_called_that() {
    let huge = Base64::encode_string(&[0xff; 1024]);
    let xml =
        format!("<RSAKeyValue><Modulus>{huge}</Modulus><Exponent>AQAB</Exponent><D>{huge}</D></RSAKeyValue>");
    assert_eq!(refusal(xml), format!("this is an RSA key of 8192 bits; {NEEDED}"));
}

#[test]
fn encryption_that_is_not_read_is_named_with_the_command_that_converts() {
    let refused = |name: &str| PrivateKey::parse(&bytes(name), passphrase()).unwrap_err().to_string();
    assert_eq!(
        refused("test-key-refused.legacy.pem"),
        "the key has OpenSSL's old, weak encryption (Proc-Type: 4,ENCRYPTED); \
         convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out key.pem`"
    );
    let cure = "PBES2 with AES is read: convert it with `openssl pkcs8 -in FILE -out plain.pem` and";
    let error = refused("test-key-refused.pbes2-3des.pem");
    assert!(
        error.starts_with(&format!("the key is encrypted with PBES2 PBKDF2 DES-EDE3-CBC; {cure}")),
        "{error}"
    );
    let error = refused("test-key-refused.pbes1.pem");
    assert!(
        error.starts_with(&format!("the key is encrypted with PKCS#12 SHA-1 DES-EDE3-CBC; {cure}")),
        "{error}"
    );
}

/// Runs what the messages advise, with the passphrase given instead of asked for.
#[test]
fn the_commands_that_errors_advise_do_convert() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let source = |name: &str| crate::support::path(name).to_str().unwrap().to_owned();
    let password = format!("pass:{}", crate::support::PASSPHRASE);
    let run = |command: &str, file: &str, passwords: &[&str]| {
        let word = |word: &str| match word {
            "FILE" => source(file),
            "key.pem" | "plain.pem" => at(word),
            other => other.to_owned(),
        };
        let words: Vec<String> = command.split(' ').map(word).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(passwords.iter().copied()).collect();
        crate::support::openssl(&words);
    };
    let assert_converted = || {
        let converted = std::fs::read(at("key.pem")).unwrap();
        let loaded = PrivateKey::parse(&converted, passphrase()).unwrap();
        assert_eq!(loaded.key().public_key(), &crate::support::expected_public_key("test-key-rsa2048"));
        assert!(loaded.format().encryption().is_some());
        std::fs::remove_file(at("key.pem")).unwrap();
    };
    let both = ["-passin", &password, "-passout", &password];

    run("pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out key.pem", "test-key-refused.legacy.pem", &both);
    assert_converted();
    run("pkcs12 -in FILE -nocerts -out key.pem", "test-key-rsa2048.pkcs12.p12", &both);
    assert_converted();
    for name in ["test-key-refused.pbes2-3des.pem", "test-key-refused.pbes1.pem"] {
        run("pkcs8 -in FILE -out plain.pem", name, &both[..2]);
        run("pkcs8 -topk8 -v2 aes-256-cbc -in plain.pem -out key.pem", name, &both[2..]);
        assert_converted();
    }
}

#[test]
fn base64_is_read_once_the_advised_lines_are_around_it() {
    for name in ["test-key-rsa2048.pkcs8.der", "test-key-rsa2048.pkcs1.der", "test-key-p256.sec1.der"] {
        let base64 = Base64::encode_string(&bytes(name));
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----");
        assert!(crate::support::parse(pem).is_ok(), "{name}");
    }
}

#[test]
fn damaged_pem_says_how() {
    let pem = text("test-key-rsa2048.pkcs8.pem");
    let damaged = |how: &str| {
        format!("the PEM block is damaged ({how}); copy the file again, from its BEGIN line to its END line")
    };
    assert_eq!(refusal(pem.replace("-----END PRIVATE KEY-----", "")), damaged("it has no END line"));
    assert_eq!(
        refusal(pem.replace("-----END PRIVATE", "-----END PUBLIC")),
        damaged("its BEGIN and END lines differ")
    );
    assert_eq!(
        refusal(format!("-----BEGIN PRIVATE KEY-----\n{pem}")),
        damaged("another begins before its END line")
    );
    assert_eq!(
        refusal(pem.replacen("\nMII", "\nM?I", 1)),
        damaged("what is between its lines is not Base64")
    );
}

#[test]
fn damaged_xml_says_how() {
    let xml = text("test-key-rsa1024.xml");
    let damaged = |how: &str| {
        format!("the RSAKeyValue XML cannot be used ({how}); copy the file again as it was handed out")
    };
    let cases = [
        (xml.replace("</RSAKeyValue>", ""), "it is cut off"),
        (xml.replace("<D>", "<!--").replace("</D>", "-->"), "D is missing"),
        (xml.replace("</Modulus>", "</modulus>"), "it is not well-formed"),
        (format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{xml}"), "it has a document type declaration"),
        (xml.replace("<Modulus>", "<Modulus>&a;"), "it has an entity that XML does not define"),
        (xml.replace("<Modulus>", "<Modulus>!"), "a number is not in Base64"),
        (xml.replace("<Modulus>", "<Modulus><b/>"), "there is an element inside a number"),
        (xml.replace("AQAB", "AQAB</Exponent><Exponent>AQAB"), "it has an element twice"),
        (xml.replace("AQAB", ""), "a number is empty"),
        (
            xml.replace("AQAB", "AQAB</Exponent><Extra>1</Extra><Exponent>"),
            "it has an element that RSAKeyValue does not have",
        ),
        (xml.replace("<P>", "oops<P>"), "there is text between its elements"),
        (xml.replace("<Modulus>", &format!("<Modulus>{}", "A".repeat(3000))), "a number is too long"),
        (format!("{}{xml}{}", "<a>".repeat(8), "</a>".repeat(8)), "its elements nest too deep"),
    ];
    for (contents, how) in cases {
        assert_eq!(refusal(contents), damaged(how));
    }
    assert_eq!(refusal(xml.replace("<D>", "<!--").replace("</D>", "-->")), damaged("D is missing"));
    assert_eq!(refusal(xml.replace("</RSAKeyValue>", "")), damaged("it is cut off"));
}

#[test]
fn xml_must_hold_one_key_in_a_namespace_that_keys_are_in() {
    let xml = text("test-key-rsa1024.xml");
    let foreign = xml.replace("<RSAKeyValue>", "<RSAKeyValue xmlns=\"urn:other\">");
    assert!(refusal(foreign).starts_with("no private key found; tried "));
    assert_eq!(
        refusal(format!("<a>{xml}{xml}</a>")),
        "the file holds 2 private keys; leave only the one to sign with"
    );
}

#[test]
fn cut_off_or_padded_der_is_refused() {
    for name in [
        "test-key-rsa2048.pkcs8.der",
        "test-key-rsa2048.pkcs1.der",
        "test-key-p256.sec1.der",
        "test-key-p256.pkcs8.der",
    ] {
        let der = bytes(name);
        assert!(refusal(&der[..der.len() - 1]).starts_with("no private key found; "), "{name}");
        assert!(refusal([&der[..], b"\n"].concat()).starts_with("no private key found; "), "{name}");
    }
}

#[test]
fn every_flipped_bit_in_the_numbers_of_an_rsa_key_is_refused() {
    let der = bytes("test-key-rsa1024.pkcs1.der");
    let good = refused_or_public_key(&der).unwrap();
    // All bits of one byte in each stretch of seven, so that every number is hit many times.
    for index in (4..der.len()).step_by(7) {
        for bit in 0..8 {
            let mut damaged = der.clone();
            damaged[index] ^= 1 << bit;
            assert_eq!(refused_or_public_key(&damaged), None, "byte {index}, bit {bit}");
        }
    }
    assert_eq!(refused_or_public_key(&der), Some(good));
}

fn refused_or_public_key(der: &[u8]) -> Option<String> {
    let loaded = PrivateKey::parse(der, Passphrase::none()).ok()?;
    Some(loaded.key().public_key().fingerprint())
}

#[test]
fn numbers_that_contradict_each_other_are_refused_in_xml_as_well() {
    let xml = text("test-key-rsa1024.xml");
    for (name, expected) in [
        ("P", "the modulus, D, P and Q do not belong together"),
        ("D", "the modulus, D, P and Q do not belong together"),
        ("DP", "DP, DQ or InverseQ do not belong to P, Q and D"),
        ("DQ", "DP, DQ or InverseQ do not belong to P, Q and D"),
        ("InverseQ", "DP, DQ or InverseQ do not belong to P, Q and D"),
    ] {
        let opening = format!("<{name}>");
        let at = xml.find(&opening).unwrap() + opening.len() + 5;
        let digit = if &xml[at..=at] == "A" { "B" } else { "A" };
        let damaged = format!("{}{digit}{}", &xml[..at], &xml[at + 1..]);
        assert_eq!(
            refusal(damaged),
            format!(
                "the key's numbers contradict each other ({expected}); the file is damaged: restore it from its backup"
            ),
            "{name}"
        );
    }
}

#[test]
fn an_ec_key_beside_another_public_key_is_refused_even_without_a_probe() {
    let mut der = bytes("test-key-p256.pkcs8.der");
    let last = der.len() - 1;
    der[last] ^= 1;
    let builder = PemSigner::builder(KeySource::memory("given", der)).with_probe(Probe::Skip);
    let error = builder.build().unwrap_err().to_string();
    assert!(error.starts_with("key `given`: the key's numbers contradict each other ("), "{error}");
}

#[test]
fn a_public_key_beside_the_private_one_must_be_its_own() {
    use der::{Decode, Encode};

    for (name, own) in
        [("test-key-p256.pkcs8.der", "test-key-p256"), ("test-key-rsa1024.pkcs8.der", "test-key-rsa1024")]
    {
        let der = bytes(name);
        let public = crate::support::expected_public_key(own);
        let spki = pkcs8::SubjectPublicKeyInfoRef::try_from(public.spki_der()).unwrap();
        let mut info = pkcs8::PrivateKeyInfoRef::from_der(&der).unwrap();
        info.public_key = Some(spki.subject_public_key);
        let loaded = PrivateKey::parse(&info.to_der().unwrap(), Passphrase::none()).unwrap();
        assert_eq!(loaded.key().public_key(), &public);
        let other = crate::support::expected_public_key("test-key-rsa2048");
        let other = pkcs8::SubjectPublicKeyInfoRef::try_from(other.spki_der()).unwrap();
        info.public_key = Some(other.subject_public_key);
        let error = refusal(info.to_der().unwrap());
        assert!(error.contains("(the public key beside the private one is another's)"), "{error}");
    }
}

#[test]
fn numbers_that_fit_and_are_no_primes_are_found_by_the_probe() {
    use rsa::pkcs1::EncodeRsaPrivateKey;
    use rsa::traits::{PrivateKeyParts, PublicKeyParts};

    for name in ["test-key-rsa1024.pkcs1.der", "test-key-rsa2048.pkcs1.der"] {
        let key = <rsa::PrivateKey as rsa::pkcs1::DecodeRsaPrivateKey>::from_pkcs1_der(&bytes(name)).unwrap();
        let (p, q): (&rsa::BoxedUint, &rsa::BoxedUint) = (key.primes()[0].as_ref(), key.primes()[1].as_ref());
        // The first odd neighbours of a prime are hardly ever primes, and never all of them.
        let composite = (1_u64..40)
            .filter_map(|step| {
                rsa::PrivateKey::from_p_q(
                    p.wrapping_sub(rsa::BoxedUint::from(2 * step)),
                    q.clone(),
                    key.e().clone(),
                )
                .ok()
            })
            .find(|key| key.n().bit_width() >= 1024)
            .expect("a composite that fits the exponent");
        let der = composite.to_pkcs1_der().unwrap();
        let build = |probe| {
            PemSigner::builder(KeySource::memory("given", der.as_bytes().to_vec())).with_probe(probe).build()
        };
        let error = build(Probe::Sign).unwrap_err();
        assert_eq!(error.kind(), soticket_core::SignerErrorKind::Key);
        assert_eq!(
            error.to_string(),
            "key `given`: the key does not sign; it is damaged: restore it from its backup"
        );
        assert!(build(Probe::Skip).is_ok());
    }
}

#[test]
fn errors_and_debug_never_show_what_is_in_a_file() {
    let secret = "QWxhZGRpbjpvcGVuIHNlc2FtZQ";
    let contents = [
        secret.to_owned(),
        format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"),
        format!("-----BEGIN {secret}-----\n{secret}\n-----END {secret}-----\n"),
        format!("<RSAKeyValue><Modulus>{secret}</Modulus><{secret}/></RSAKeyValue>"),
        format!("<RSAKeyValue><{secret}></a></RSAKeyValue>"),
        format!("<RSAKeyValue><Modulus>&{secret};</Modulus></RSAKeyValue>"),
        format!("{{\"kty\":\"RSA\",\"d\":\"{secret}\"}}"),
    ];
    for contents in contents {
        let error =
            PrivateKey::parse(contents.as_bytes(), Passphrase::text(SecretText::new(secret.to_owned())))
                .unwrap_err();
        let mut shown = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            shown += &format!(" {cause} {cause:?}");
            source = cause.source();
        }
        assert!(!shown.contains(secret), "{shown}");
    }
}
