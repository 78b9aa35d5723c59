//! The state document, as it is documented, and as it should not be.

use serde_json::{Value, json};

use super::*;
use crate::jwt::TrustRule;

fn document() -> Value {
    json!({
        "ContextIdentifier": "Cust12345", "Endpoint": "https://online2.superoffice.com/Cust12345",
        "State": "Running", "IsRunning": true, "ValidUntil": "2026-02-23T09:52:01.9342965Z",
        "Api": "https://online2.superoffice.com/Cust12345/api", "Version": "Release_10.5.3",
    })
}

fn received() -> Timestamp {
    "2026-02-23T09:00:00Z".parse().unwrap()
}

fn decode_at(document: &Value, date: Option<&str>) -> Result<TenantStatus, Error> {
    let mut answer = Answer::of_body(document.to_string().as_bytes(), None);
    answer.received = received();
    answer.date = date.map(|date| date.parse().unwrap());
    TenantStatus::decode(&answer, &"Cust12345".parse().unwrap(), &Environment::Online)
}

fn decode(document: &Value) -> Result<TenantStatus, Error> {
    decode_at(document, None)
}

fn with(member: &str, value: Value) -> Value {
    let mut document = document();
    document[member] = value;
    document
}

#[test]
fn the_documented_answer_is_read() {
    let status = decode(&document()).unwrap();
    assert_eq!(status.state, TenantState::Running);
    assert!(status.is_running);
    assert_eq!(status.api.unwrap().as_str(), "https://online2.superoffice.com/Cust12345/api/");
    assert_eq!(status.endpoint.unwrap().as_str(), "https://online2.superoffice.com/Cust12345");
    assert_eq!(status.valid_until, "2026-02-23T09:52:01.9342965Z".parse().unwrap());
    assert_eq!(status.version.as_deref(), Some("Release_10.5.3"));
}

#[test]
fn a_tenant_without_an_address_and_a_state_by_number_are_read() {
    let bare = json!({"ContextIdentifier": "cust12345", "State": 3, "Api": null, "Endpoint": ""});
    let status = decode(&bare).unwrap();
    assert_eq!((status.state, status.is_running, status.api), (TenantState::Deleted, false, None));
    let unheard_of = decode(&json!({"State": "Paused", "IsRunning": true})).unwrap();
    assert!(unheard_of.is_running, "the service knows its own states best");
}

#[test]
fn its_end_is_held_between_the_bounds() {
    let validity = |value: Value| {
        let until = decode(&with("ValidUntil", value)).unwrap().valid_until;
        Duration::try_from(until.duration_since(received())).unwrap()
    };
    for short in [json!(null), json!("soon"), json!("2026-02-23T08:59:00Z"), json!("2026-02-23T09:00:01Z")] {
        assert_eq!(validity(short.clone()), TenantStatus::MIN_VALIDITY, "{short}");
    }
    assert_eq!(validity(json!("9000-12-31T23:59:59.9999999Z")), TenantStatus::MAX_VALIDITY);
    assert_eq!(validity(json!("2026-02-23T09:10:00.0000000")), Duration::from_secs(600));
    assert_eq!(validity(json!("2026-02-23T11:10:00+02:00")), Duration::from_secs(600));
}

#[test]
fn its_end_is_meant_by_the_services_clock() {
    let ahead = decode_at(&with("ValidUntil", json!("2026-02-23T12:10:00Z")), Some("2026-02-23T12:00:00Z"));
    let validity = ahead.unwrap().valid_until.duration_since(received());
    assert_eq!(validity, SignedDuration::from_mins(10));
}

#[test]
fn what_is_not_the_documented_answer_is_refused_without_being_repeated() {
    for document in [json!([]), json!("hush"), with("IsRunning", json!("hush")), with("Api", json!("hush"))] {
        let error = decode(&document).unwrap_err();
        assert!(!error.to_string().contains("hush"), "{error}");
    }
    let other = decode(&with("ContextIdentifier", json!("Cust99999"))).unwrap_err();
    assert_eq!(other.kind(), &ErrorKind::Protocol);
    let http = decode(&with("Api", json!("http://online2.superoffice.com/Cust12345/api"))).unwrap_err();
    assert_eq!(http.kind(), &ErrorKind::Untrusted(TrustRule::TenantAddress));
}
