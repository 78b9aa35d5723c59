//! The exact bytes that go out, and what is made of those that come back.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::exchange::message::Outcome;
use crate::secret::SecretText;

fn with_request<T>(test: impl FnOnce(&ExchangeRequest<'_>) -> T) -> T {
    test(&ExchangeRequest {
        system_user_token: &"My \"App\"-x".parse().unwrap(),
        signed_system_token: &SecretText::new("My \"App\"-x.202611231559.c2ln".into()),
        client_secret: &"app\\secret".parse().unwrap(),
        context: &"Cust12345".parse().unwrap(),
    })
}

fn answer(body: &str) -> Result<Outcome, Error> {
    outcome(body.as_bytes())
}

fn outcome(body: &[u8]) -> Result<Outcome, Error> {
    let answer = Answer::of_body(body, Some("text/html"));
    with_request(|request| decode(&answer)?.outcome(request))
}

#[test]
fn the_request_is_superoffices_json_with_everything_escaped() {
    let body = with_request(|request| body(request).unwrap());
    let expected = r#"{"SignedSystemToken":"My \"App\"-x.202611231559.c2ln","ApplicationToken":"app\\secret","ContextIdentifier":"Cust12345","ReturnTokenType":"JWT"}"#;
    assert_eq!(body.as_bytes(), Some(expected.as_bytes()));
}

#[test]
fn the_headers_say_json_both_ways() {
    assert_eq!(headers()["Content-Type"], "application/json");
    assert_eq!(headers()["Accept"], "application/json");
}

#[test]
fn a_token_is_taken_with_whatever_else_the_answer_holds() {
    let body = json!({"IsSuccessful": true, "Token": "a.b.c", "ErrorMessage": null, "Extra": [1]});
    let Ok(Outcome::Token(jwt)) = answer(&body.to_string()) else { panic!("a token was expected") };
    assert_eq!(jwt.expose(), "a.b.c");
}

#[test]
fn a_refusal_is_no_error_of_the_codec_and_a_token_beside_it_is_not_taken() {
    for token in [Value::Null, json!("a.b.c")] {
        let body = json!({"IsSuccessful": false, "Token": token, "ErrorMessage": "Revoked"});
        let Ok(Outcome::Refused(refusal)) = answer(&body.to_string()) else {
            panic!("a refusal was expected")
        };
        assert_eq!(refusal.text(), "Revoked");
    }
}

#[test]
fn a_refusal_that_echoes_our_secrets_is_cleaned() {
    let body = json!({"IsSuccessful": false, "ErrorMessage": "bad app\\secret for My \"App\"-x.202611231559.c2ln of My \"App\"-x"});
    let Ok(Outcome::Refused(refusal)) = answer(&body.to_string()) else { panic!("a refusal was expected") };
    assert_eq!(refusal.text(), "bad [redacted] for [redacted] of [redacted]");
}

#[test]
fn success_without_a_token_is_no_success() {
    for body in [
        json!({"IsSuccessful": true}),
        json!({"IsSuccessful": true, "Token": null}),
        json!({"IsSuccessful": true, "Token": ""}),
    ] {
        assert_eq!(answer(&body.to_string()).unwrap_err().kind(), &ErrorKind::Protocol, "{body}");
    }
}

#[test]
fn anything_else_is_a_protocol_error_that_shows_no_content() {
    for body in [
        "",
        "<html>hunter2</html>",
        "null",
        "[]",
        "{}",
        r#"{"Token": "hunter2"}"#,
        r#"{"IsSuccessful": "true", "Token": "hunter2"}"#,
        r#"{"IsSuccessful": true, "Token": {"a": "hunter2"}}"#,
        r#"{"IsSuccessful": true, "Token": "hunter2"} hunter2"#,
        r#"{"IsSuccessful": true, "IsSuccessful": false, "Token": "hunter2"}"#,
        r#"{"IsSuccessful": true, "Token": "hunter2", "Token": "hunter3"}"#,
    ] {
        let error = answer(body).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Protocol, "{body}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("text/html") && !shown.contains("hunter"), "{shown}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics_the_decoder(body in prop::collection::vec(any::<u8>(), 0..512)) {
        drop(outcome(&body));
    }

    #[test]
    fn nearly_right_answers_do_not_panic_the_decoder(body in r#"\{("IsSuccessful":(true|false|1|null)|"Token":"[a-z.]*")(,("Token":"[a-z]*"|"ErrorMessage":"\PC{0,9}"))*\}"#) {
        let _ = answer(&body);
    }
}
