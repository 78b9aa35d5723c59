//! Exchanges that succeed, are refused or are no exchanges at all.

use jiff::SignedDuration;
use serde_json::{Value, json};
use soticket_emulator::{Approval, Fault, Outcome, Refusal, Sample, Scope, Times};

use crate::support::bench;

#[tokio::test]
async fn a_good_exchange_gives_a_ticket_that_slides_and_ends() {
    let bench = bench().await;
    let answer = bench.exchange(&bench.signed()).await;
    assert_eq!(answer["IsSuccessful"], true, "{answer}");
    let claims = bench.claims(answer["Token"].as_str().unwrap()).unwrap();
    let ticket = claims["http://schemes.superoffice.net/identity/ticket"].as_str().unwrap();
    assert!(ticket.starts_with("7T:") && ticket.ends_with("=="));
    assert!(claims["iat"].is_string() && claims["exp"].is_number());
    let url = bench.emulator.url();
    for _ in 0..3 {
        assert_eq!(bench.principal(&url, ticket).await, 200);
        bench.emulator.clock().advance(SignedDuration::from_hours(5));
    }
    bench.emulator.clock().advance(SignedDuration::from_hours(2));
    assert_eq!(bench.principal(&url, ticket).await, 401);
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[tokio::test]
async fn refusals_have_natural_causes() {
    let bench = bench().await;
    let signed = bench.signed();
    let mut broken = signed.clone();
    broken.replace_range(signed.rfind('.').unwrap() + 1..signed.rfind('.').unwrap() + 5, "AAAA");
    let text = |answer: Value| answer["ErrorMessage"].as_str().unwrap().to_owned();
    assert!(text(bench.exchange(&broken).await).contains("InvalidSignature"));
    for (approval, name) in [
        (Approval::Revoked, "Revoked"),
        (Approval::Expired, "Expired"),
        (Approval::Denied, "Denied"),
        (Approval::NeedsReapproval, "NeedsReapproval"),
    ] {
        bench.emulator.set_approval("cust12345", approval).unwrap();
        assert!(text(bench.exchange(&signed).await).contains(name));
    }
    bench.emulator.set_approval("Cust12345", Approval::Approved).unwrap();
    bench.emulator.clock().advance(SignedDuration::from_mins(10));
    assert!(text(bench.exchange(&signed).await).contains("InvalidTimestamp"));
    for refusal in Refusal::ALL {
        bench.emulator.faults().queue(
            Scope::Exchange,
            Times::ONCE,
            Fault::Refusal { code: *refusal, text: None },
        );
        assert!(text(bench.exchange(&signed).await).contains(refusal.name()));
    }
}

#[tokio::test]
async fn what_is_unknown_is_denied() {
    let bench = bench().await;
    let signed = bench.signed();
    let good = json!({"SignedSystemToken": signed, "ApplicationToken": Sample::CLIENT_SECRET,
        "ContextIdentifier": Sample::CONTEXT, "ReturnTokenType": "JWT"});
    for (member, value) in [
        ("ApplicationToken", "0".repeat(32)),
        ("ContextIdentifier", "Cust54321".into()),
        ("SignedSystemToken", signed.replace("pzqc", "pzqd")),
    ] {
        let mut body = good.clone();
        body[member] = value.into();
        let answer = post(&bench.url("/Login/api/PartnerSystemUser/Authenticate"), &body).await;
        assert_eq!(answer["IsSuccessful"], false);
        assert!(answer["ErrorMessage"].as_str().unwrap().contains("Denied"), "{member}: {answer}");
    }
}

async fn post(url: &str, body: &Value) -> Value {
    reqwest::Client::new().post(url).json(body).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_time_stamp_is_good_within_the_window_and_not_beyond() {
    let bench = bench().await;
    let signed = bench.signed();
    // The stamp is of 03:04:00, and the window has five minutes.
    for (seconds, good) in [(290, true), (10, false), (-610, false), (20, true)] {
        bench.emulator.clock().advance(SignedDuration::from_secs(seconds));
        assert_eq!(bench.exchange(&signed).await["IsSuccessful"], good, "{}", bench.emulator.clock().now());
    }
}

#[tokio::test]
async fn what_is_no_exchange_is_turned_away_by_its_status() {
    let bench = bench().await;
    let url = bench.url("/Login/api/PartnerSystemUser/Authenticate");
    let client = reqwest::Client::new();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(client.get(&url)).await, 405);
    assert_eq!(status(client.post(&url).body("{}")).await, 415);
    assert_eq!(status(client.post(&url).json(&json!({}))).await, 400);
    assert_eq!(status(client.post(&url).json(&json!([1]))).await, 400);
    let saml = json!({"SignedSystemToken": "x", "ApplicationToken": "x", "ContextIdentifier": "x", "ReturnTokenType": "SAML"});
    assert_eq!(status(client.post(&url).json(&saml)).await, 400);
    let huge = json!({"SignedSystemToken": "x".repeat(1 << 20)});
    assert_eq!(status(client.post(&url).json(&huge)).await, 413);
    assert_eq!(status(client.get(bench.url("/nothing"))).await, 404);
}

#[tokio::test]
async fn the_log_tells_what_happened_and_no_secret() {
    let bench = bench().await;
    let ticket = bench.ticket().await;
    bench.emulator.set_approval(Sample::CONTEXT, Approval::Revoked).unwrap();
    bench.exchange(&bench.signed()).await;
    let log = bench.emulator.log();
    let outcomes: Vec<_> = log.iter().map(|entry| (entry.outcome, entry.context.as_deref())).collect();
    let tenant = Some(Sample::CONTEXT);
    assert_eq!(outcomes, [(Outcome::Issued, tenant), (Outcome::Refused(Refusal::Revoked), tenant)]);
    let shown = format!("{log:?} {:?}", bench.emulator);
    for secret in [Sample::CLIENT_SECRET, Sample::SYSTEM_USER_TOKEN, &ticket] {
        assert!(!shown.contains(secret));
    }
}
