//! What can be pinned, in which forms, and what is said of the rest.

use pkcs1::der::pem;

use super::*;

macro_rules! testdata {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/", $name)).as_slice()
    };
}

fn der(pem: &[u8]) -> Vec<u8> {
    pem::decode_vec(pem.trim_ascii()).unwrap().1
}

#[test]
fn a_certificate_and_its_public_key_pin_the_same_key_in_every_form() {
    let key = PublicKey::from_pem(std::str::from_utf8(testdata!("rsa2048.pub.pem")).unwrap()).unwrap();
    for bytes in [
        testdata!("rsa2048.cert.pem").to_vec(),
        testdata!("rsa2048.pub.pem").to_vec(),
        testdata!("rsa2048.pkcs1-pub.pem").to_vec(),
        der(testdata!("rsa2048.cert.pem")),
        der(testdata!("rsa2048.pub.pem")),
        der(testdata!("rsa2048.pkcs1-pub.pem")),
    ] {
        let pinned = PinnedKeys::from_pem_or_der(&bytes).unwrap();
        assert_eq!(pinned.public_keys(), std::slice::from_ref(&key));
        assert_eq!(pinned.keys().len(), 1);
    }
}

#[test]
fn several_are_pinned_from_one_file_or_many_with_text_between() {
    let file =
        [b"subject=one\r\n", testdata!("rsa2048.cert.pem"), b"\n# two\n", testdata!("rsa4096.pub.pem")]
            .concat();
    let pinned = PinnedKeys::from_pem_or_der(&file).unwrap();
    let pinned = pinned.and_pem_or_der(testdata!("jwt-signer.pub.pem")).unwrap();
    assert_eq!(pinned.public_keys().iter().map(PublicKey::bits).collect::<Vec<_>>(), [2048, 4096, 2048]);
}

#[test]
fn what_cannot_verify_superoffices_jwts_is_refused() {
    use ReadPublicKeyError as E;
    let pinned = |bytes: &[u8]| PinnedKeys::from_pem_or_der(bytes).unwrap_err();
    let bits_of = |bytes: &[u8]| match pinned(bytes) {
        PinnedKeyError::Unsuitable { bits, .. } => bits,
        other => panic!("{other}"),
    };
    assert_eq!(bits_of(testdata!("rsa1024.pub.pem")), 1024);
    assert_eq!(bits_of(testdata!("p256.cert.pem")), 256);
    let error = |bytes: &[u8]| match pinned(bytes) {
        PinnedKeyError::Unreadable(error) => error,
        other => panic!("{other}"),
    };
    assert!(matches!(error(b""), E::NothingFound));
    assert!(matches!(error(b"hello"), E::NothingFound));
    assert!(matches!(error(&[0x30, 0x82, 0xFF]), E::NothingFound));
    assert!(matches!(error(&vec![b' '; 2 << 20]), E::TooLarge));
    assert!(matches!(error(testdata!("ed25519.pub.pem")), E::PublicKey(_)));
    assert!(matches!(error(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), E::Pem(_)));
    assert!(matches!(error(b"-----BEGIN CERTIFICATE-----\nAAAA"), E::Pem(_)));
    let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    assert!(matches!(error(block("CERTIFICATE").as_bytes()), E::Certificate(_)));
    assert!(matches!(error(block("RSA PRIVATE KEY").as_bytes()), E::PrivateKey(_)));
    assert!(matches!(error(block("CERTIFICATE REQUEST").as_bytes()), E::OtherBlock(_)));
}

#[test]
fn one_bad_block_spoils_the_file() {
    let file = [testdata!("rsa2048.cert.pem"), testdata!("rsa1024.pub.pem")].concat();
    assert!(PinnedKeys::from_pem_or_der(&file).is_err());
}

proptest::proptest! {
    #[test]
    fn nothing_panics_the_reader(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = PinnedKeys::from_pem_or_der(&bytes);
    }

    #[test]
    fn a_damaged_certificate_does_not_panic_the_reader(at in 0usize..700, flip in 1u8..) {
        let mut certificate = der(testdata!("rsa2048.cert.pem"));
        let at = at % certificate.len();
        certificate[at] ^= flip;
        let _ = PinnedKeys::from_pem_or_der(&certificate);
    }
}
