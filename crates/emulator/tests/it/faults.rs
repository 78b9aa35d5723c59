//! Faults on demand.

use std::time::Duration;

use serde_json::Value;
use soticket_emulator::{Fault, FaultyBody, JwtDefect, RetryAfter, Scope, Times};

use crate::support::bench;

#[tokio::test]
async fn transport_faults_strike_and_the_date_is_the_clocks() {
    let bench = bench().await;
    let url = format!("{}/login/.well-known/jwks", bench.emulator.url());
    let faults = bench.emulator.faults();
    faults.queue(Scope::Jwks, Times::ONCE, Fault::Drop);
    assert!(reqwest::get(&url).await.is_err());
    faults.queue(Scope::Jwks, Times::ONCE, Fault::DropMidBody);
    let broken = match reqwest::get(&url).await {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
    faults.queue(Scope::All, Times::ONCE, Fault::TooManyRequests { retry_after: RetryAfter::Date(60) });
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"Fri, 02 Jan 2026 03:05:05 GMT".parse().unwrap())
    );
    assert_eq!(answer.headers()["date"], "Fri, 02 Jan 2026 03:04:05 GMT");
}

#[tokio::test]
async fn every_jwt_defect_changes_the_token() {
    let bench = bench().await;
    let signed = bench.signed();
    for defect in JwtDefect::ALL {
        bench.emulator.faults().queue(Scope::Exchange, Times::ONCE, Fault::jwt(*defect));
        let answer = bench.exchange(&signed).await;
        assert_eq!(answer["IsSuccessful"], true, "{}", defect.name());
        let result = bench.claims(answer["Token"].as_str().unwrap());
        use JwtDefect::*;
        let unverifiable = matches!(
            defect,
            AlgNone | Hs256WithPublicKey | Rs384 | WrongKey | WrongIssuer | WrongAudience | Truncated
        );
        if unverifiable {
            assert!(result.is_err(), "{}", defect.name());
        }
    }
}

#[tokio::test]
async fn every_kind_of_body_can_be_had_under_any_status() {
    let bench = bench().await;
    let url = bench.url("/login/.well-known/jwks");
    for (body, length) in [
        (FaultyBody::Empty, 0..=0),
        (FaultyBody::Html, 20..=200),
        (FaultyBody::Garbage, 1..=20),
        (FaultyBody::Huge(3_000_000), 3_000_000..=3_000_000),
    ] {
        let fault = Fault::Status { status: 418, body: body.clone() };
        bench.emulator.faults().queue(Scope::Jwks, Times::ONCE, fault);
        let answer = reqwest::get(&url).await.unwrap();
        assert_eq!(answer.status(), 418);
        assert!(length.contains(&answer.bytes().await.unwrap().len()), "{body:?}");
    }
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200, "the faults are used up");
}

#[tokio::test]
async fn a_body_that_breaks_off_has_begun() {
    let bench = bench().await;
    bench.emulator.faults().queue(Scope::Jwks, Times::ONCE, Fault::DropMidBody);
    let mut answer = reqwest::get(bench.url("/login/.well-known/jwks")).await.unwrap();
    assert!(answer.chunk().await.unwrap().is_some());
    assert!(answer.chunk().await.is_err());
}

#[tokio::test]
async fn redirects_wrong_dates_and_latency_strike() {
    let bench = bench().await;
    let url = bench.url("/login/.well-known/jwks");
    let faults = bench.emulator.faults();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    faults.queue(
        Scope::Jwks,
        Times::ONCE,
        Fault::Redirect { status: 307, location: "http://127.0.0.1:9/".into() },
    );
    faults.queue(Scope::Jwks, Times::ONCE, Fault::WrongDate { seconds: -65 });
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (307, &"http://127.0.0.1:9/".parse().unwrap())
    );
    assert_eq!(answer.headers()["date"], "Fri, 02 Jan 2026 03:03:00 GMT");
    faults.queue(Scope::Jwks, Times::ONCE, Fault::latency(Duration::from_secs(60)));
    let hurried = client.get(&url).timeout(Duration::from_millis(100)).send().await;
    assert!(hurried.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_fault_strikes_its_scope_until_it_is_cleared() {
    let bench = bench().await;
    let fault = Fault::Status { status: 503, body: FaultyBody::Empty };
    bench.emulator.faults().queue(Scope::State, Times::UntilCleared, fault);
    let status = async |path: &str| reqwest::get(bench.url(path)).await.unwrap().status().as_u16();
    for _ in 0..3 {
        assert_eq!(status("/api/state/Cust12345").await, 503);
        assert_eq!(status("/login/.well-known/jwks").await, 200);
    }
    bench.emulator.faults().clear();
    assert_eq!(status("/api/state/Cust12345").await, 200);
}

#[tokio::test]
async fn answers_without_a_token_and_with_saml_can_be_had() {
    let bench = bench().await;
    let faults = bench.emulator.faults();
    faults.queue(Scope::Exchange, Times::ONCE, Fault::WithoutToken);
    let answer = bench.exchange(&bench.signed()).await;
    assert_eq!((&answer["IsSuccessful"], &answer["Token"]), (&Value::Bool(true), &Value::Null));
    faults.queue(Scope::Exchange, Times::ONCE, Fault::SamlToken);
    assert!(bench.exchange(&bench.signed()).await["Token"].as_str().unwrap().starts_with("<saml"));
}
