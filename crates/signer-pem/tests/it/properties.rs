//! Whatever the input, nothing panics, and no damaged file becomes another key unnoticed.

use proptest::prelude::*;
use soticket_core::SecretText;
use soticket_signer_pem::{Passphrase, PrivateKey};

use crate::support::{PASSPHRASE, bytes, expected_public_key};

const SEEDS: [(&str, &str); 14] = [
    ("test-key-rsa1024", "pkcs1.pem"),
    ("test-key-rsa1024", "pkcs1.der"),
    ("test-key-rsa1024", "pkcs8.pem"),
    ("test-key-rsa1024", "pkcs8.der"),
    ("test-key-rsa1024", "xml"),
    ("test-key-rsa1024", "loose.xml"),
    ("test-key-rsa1024", "utf16.xml"),
    ("test-key-rsa1024", "without-crt.xml"),
    ("test-key-p256", "sec1.pem"),
    ("test-key-p256", "sec1.der"),
    ("test-key-p256", "pkcs8.pem"),
    ("test-key-p256", "pkcs8.der"),
    ("test-key-p256", "scrypt-aes256.der"),
    ("test-key-p256", "pbkdf2-sha256-aes256.pem"),
];

fn parse(contents: &[u8]) -> Option<soticket_core::PublicKey> {
    let passphrase = Passphrase::text(SecretText::new(PASSPHRASE.to_owned()));
    PrivateKey::parse(contents, passphrase).ok().map(|loaded| loaded.key().public_key().clone())
}

#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Self::Flip(at, bit) => *at.get_mut(contents) ^= 1 << (bit % 8),
            Self::Set(at, value) => *at.get_mut(contents) = *value,
            Self::Insert(at, added) => {
                let at = at.index(contents.len());
                contents.splice(at..at, added.iter().copied());
            }
            Self::Remove(at, count) => {
                let at = at.index(contents.len());
                let end = contents.len().min(at + count);
                contents.drain(at..end);
            }
            Self::Cut(at) => contents.truncate(at.index(contents.len())),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (at(), any::<u8>()).prop_map(|(at, value)| Change::Set(at, value)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, added)| Change::Insert(at, added)),
        1 => (at(), 1_usize..20).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => at().prop_map(Change::Cut),
    ]
}

fn xml_like() -> impl Strategy<Value = String> {
    let names = ["RSAKeyValue", "Modulus", "Exponent", "P", "Q", "DP", "DQ", "InverseQ", "D", "x:y"];
    let token = prop_oneof![
        prop::sample::select(names.to_vec()).prop_map(|name| format!("<{name}>")),
        prop::sample::select(names.to_vec()).prop_map(|name| format!("</{name}>")),
        prop::sample::select(names.to_vec()).prop_map(|name| format!("<{name}>AQAB</{name}>")),
        prop::sample::select(vec![
            "&#65;",
            "&amp;",
            "<!-- x -->",
            "<![CDATA[AQAB]]>",
            "<?pi?>",
            " ",
            "=",
            "AAAA"
        ])
        .prop_map(str::to_owned),
        "[A-Za-z0-9+/=]{0,40}",
    ];
    prop::collection::vec(token, 0..40)
        .prop_map(|tokens| format!("<RSAKeyValue>{}</RSAKeyValue>", tokens.concat()))
}

/// Base64 of a number with the given bytes, as XML elements of a key with small and odd numbers.
fn small_numbers() -> impl Strategy<Value = String> {
    use base64ct::{Base64, Encoding};
    let number = || {
        prop_oneof![prop::collection::vec(any::<u8>(), 1..6), prop::collection::vec(any::<u8>(), 128..=129)]
    };
    prop::collection::vec(number(), 8).prop_map(|numbers| {
        let names = ["Modulus", "Exponent", "D", "P", "Q", "DP", "DQ", "InverseQ"];
        let element =
            |(name, bytes): (&&str, &Vec<u8>)| format!("<{name}>{}</{name}>", Base64::encode_string(bytes));
        let kept = if numbers[7].len() % 2 == 0 { 3 } else { 8 };
        let elements: String = names.iter().zip(&numbers).take(kept).map(element).collect();
        format!("<RSAKeyValue>{elements}</RSAKeyValue>")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic(contents in prop::collection::vec(any::<u8>(), 0..600)) {
        parse(&contents);
    }

    #[test]
    fn any_der_like_bytes_are_read_without_panic(mut contents in prop::collection::vec(any::<u8>(), 4..200)) {
        let length = contents.len() - 2;
        contents[0] = 0x30;
        if let Ok(short) = u8::try_from(length) && short < 0x80 {
            contents[1] = short;
        }
        parse(&contents);
    }

    #[test]
    fn any_text_in_a_pem_block_is_read_without_panic(label in "[A-Z ]{0,12}PRIVATE KEY", body in "[ -~\r\n]{0,300}") {
        parse(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").as_bytes());
    }

    #[test]
    fn any_xml_like_text_is_read_without_panic(contents in xml_like()) {
        parse(contents.as_bytes());
    }

    #[test]
    fn any_numbers_are_read_without_panic(contents in small_numbers()) {
        parse(contents.as_bytes());
    }

    #[test]
    fn a_changed_key_file_is_refused_or_is_still_the_same_key(
        seed in prop::sample::select(SEEDS.to_vec()),
        changes in prop::collection::vec(change(), 1..3),
    ) {
        let (key, format) = seed;
        let mut contents = bytes(&format!("{key}.{format}"));
        for change in &changes {
            if !contents.is_empty() {
                change.apply(&mut contents);
            }
        }
        // A changed private key alone would be another key: RSA's numbers and EC's public half prevent it.
        if let Some(public_key) = parse(&contents) {
            prop_assert_eq!(public_key, expected_public_key(key));
        }
    }

    #[test]
    fn what_is_written_is_read_back(seed in prop::sample::select(SEEDS.to_vec())) {
        let (key, format) = seed;
        let contents = bytes(&format!("{key}.{format}"));
        let passphrase = Passphrase::text(SecretText::new(PASSPHRASE.to_owned()));
        let loaded = PrivateKey::parse(&contents, passphrase).unwrap();
        prop_assert_eq!(parse(&loaded.key().to_pkcs8_der().unwrap()), Some(expected_public_key(key)));
    }
}
