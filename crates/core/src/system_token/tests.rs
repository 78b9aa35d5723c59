//! The signed system token against OpenSSL's signatures, and against every printable token.

use std::fmt;

use async_trait::async_trait;
use proptest::prelude::*;

use super::*;
use crate::ManualClock;
use crate::signer::KeyInfo;

/// Answers with a signature that was made elsewhere.
struct RecordedSigner {
    info: KeyInfo,
    signature: Signature,
}

impl fmt::Debug for RecordedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordedSigner")
    }
}

#[async_trait]
impl TokenSigner for RecordedSigner {
    fn key_info(&self) -> &KeyInfo {
        &self.info
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        assert_eq!(message, GOLDEN_MESSAGE.as_bytes());
        Ok(self.signature.clone())
    }
}

const GOLDEN_MESSAGE: &str = "My App. v2-pzqc70604i.202611231559";

fn golden() -> [(&'static str, PublicKey); 3] {
    macro_rules! golden {
        ($name:literal) => {
            (
                include_str!(concat!("../../testdata/", $name, ".signed-token.txt")),
                PublicKey::from_pem(include_str!(concat!("../../testdata/", $name, ".pub.pem"))).unwrap(),
            )
        };
    }
    [golden!("rsa1024"), golden!("rsa2048"), golden!("rsa4096")]
}

#[test]
fn openssls_signatures_parse_and_verify() {
    for (text, key) in golden() {
        let signed: SignedSystemToken = text.parse().unwrap();
        assert_eq!(signed.token().expose(), "My App. v2-pzqc70604i");
        assert_eq!(signed.time().to_string(), "2026-11-23T15:59:00Z");
        assert_eq!(signed.verify(&key), Ok(()));
        assert_eq!(signed.to_secret_text().expose(), text);
    }
}

#[tokio::test]
async fn building_gives_openssls_bytes() {
    for (text, key) in golden() {
        let signature = text.parse::<SignedSystemToken>().unwrap().signature;
        let signer = RecordedSigner { info: KeyInfo::new(key, "test", "golden", "testdata"), signature };
        // Seconds and less do not show.
        let clock = ManualClock::new("2026-11-23T15:59:58.9Z".parse().unwrap());
        let token = "My App. v2-pzqc70604i".parse().unwrap();
        let built = SignedSystemToken::build(&token, &clock, &signer).await.unwrap();
        assert_eq!(built.to_secret_text().expose(), text);
    }
}

#[test]
fn a_signature_of_another_key_token_or_time_does_not_verify() {
    let [_, (text, key), (_, other_key)] = golden();
    let parse = |text: &str| text.parse::<SignedSystemToken>().unwrap();
    assert_eq!(parse(text).verify(&other_key), Err(SignatureMismatch));
    assert_eq!(parse(&text.replace("pzqc70604i", "pzqc70604j")).verify(&key), Err(SignatureMismatch));
    assert_eq!(parse(&text.replace(".202611231559.", ".202611231600.")).verify(&key), Err(SignatureMismatch));
}

#[test]
fn what_is_no_signed_system_token_is_refused_with_the_reason() {
    use ParseSignedSystemTokenError as E;
    let error = |text: &str| text.parse::<SignedSystemToken>().unwrap_err();
    assert_eq!(error(""), E::Parts);
    assert_eq!(error("token"), E::Parts);
    assert_eq!(error("token.202611231559"), E::Parts);
    assert_eq!(error(".202611231559.AAAA"), E::Token(ParseSystemUserTokenError::Empty));
    for time in [
        "20261123155",
        "2026112315590",
        "202613231559",
        "202602301559",
        "202611232400",
        "2026-1123155",
        "２０",
    ] {
        assert_eq!(error(&format!("token.{time}.AAAA")), E::Time, "{time}");
    }
    for signature in ["", "AAA", "AA==A", "A-_A", "AAAA\n", "AAB="] {
        assert_eq!(error(&format!("token.202611231559.{signature}")), E::Signature, "{signature:?}");
    }
}

#[test]
fn system_user_tokens_parse_at_the_edge() {
    use ParseSystemUserTokenError as E;
    let parse = |text: &str| text.parse::<SystemUserToken>().map(|token| token.expose().to_owned());
    assert_eq!(parse("My App-pzqc70604i").as_deref(), Ok("My App-pzqc70604i"));
    assert_eq!(parse(""), Err(E::Empty));
    assert_eq!(parse("App-x\n"), Err(E::SurroundingWhiteSpace));
    assert_eq!(parse(" App-x"), Err(E::SurroundingWhiteSpace));
    assert_eq!(parse("App\n-x"), Err(E::ControlCharacter));
    assert_eq!(parse("App\u{7f}-x"), Err(E::ControlCharacter));
    assert_eq!(parse(&"x".repeat(SystemUserToken::MAX_LENGTH + 1)), Err(E::TooLong));
}

#[test]
fn debug_shows_neither_token_nor_signature() {
    let [(text, _), ..] = golden();
    let signed: SignedSystemToken = text.parse().unwrap();
    let shown = format!("{signed:?} {:?} {:?}", signed.token(), signed.signature);
    assert!(!shown.contains("pzqc70604i"), "{shown}");
    assert!(!shown.contains(&signed.signature.to_base64()), "{shown}");
}

fn printable_token() -> impl Strategy<Value = String> {
    // Not only from the middle of the alphabet: dots, spaces, hyphens and digits are what could confuse.
    "[\\PC&&[^ ]]|[\\PC&&[^ ]](\\PC|[. 0-9-]){0,60}[\\PC&&[^ ]]"
        .prop_filter("white space around is refused", |token| token.trim() == token && !token.is_empty())
}

proptest! {
    #[test]
    fn parsing_what_was_built_gives_it_back(
        token in printable_token(),
        minute in 0i64..4_000_000_000 / 60,
        signature in prop::collection::vec(any::<u8>(), 1..512),
    ) {
        let time = Timestamp::from_second(minute * 60).unwrap();
        let built = SignedSystemToken {
            token: token.parse().unwrap(),
            time: TokenTime::of(time),
            signature: Signature::from_bytes(signature.clone()),
        };
        let text = built.to_secret_text();
        let parsed: SignedSystemToken = text.expose().parse().unwrap();
        prop_assert_eq!(parsed.token().expose(), token);
        prop_assert_eq!(parsed.time(), time);
        prop_assert_eq!(parsed.signature.as_bytes(), signature);
        let rebuilt = parsed.to_secret_text();
        prop_assert_eq!(rebuilt.expose(), text.expose());
    }

    #[test]
    fn no_text_panics_the_parser(text in any::<String>()) {
        let _ = text.parse::<SignedSystemToken>();
        let _ = text.parse::<SystemUserToken>();
    }

    #[test]
    fn nearly_right_text_does_not_panic_the_parser(text in "[a-z.]{0,9}\\.[0-9]{10,14}\\.[A-Za-z0-9+/=]{0,16}") {
        let _ = text.parse::<SignedSystemToken>();
    }
}
