//! Tenants: where they live, in which state, and whom they let in.

use serde_json::Value;
use soticket_emulator::{Fault, Sample, Scope, TenantState, Times};

use crate::support::bench;

#[tokio::test]
async fn a_moved_tenant_is_misdirected_at_its_old_port() {
    let bench = bench().await;
    let answer = bench.exchange(&bench.signed()).await;
    let claims = bench.claims(answer["Token"].as_str().unwrap()).unwrap();
    let ticket = claims["http://schemes.superoffice.net/identity/ticket"].as_str().unwrap();
    let addr = bench.emulator.move_tenant("Cust12345").await.unwrap();
    assert_eq!(bench.principal(&bench.emulator.url(), ticket).await, 421);
    assert_eq!(bench.principal(&format!("http://{addr}"), ticket).await, 200);
    let state: Value = reqwest::get(format!("{}/api/state/cust12345", bench.emulator.url()))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(state["Api"], format!("http://{addr}/Cust12345/api"));
    assert_eq!(state["ValidUntil"], "2026-01-02T03:14:05.0000000Z");
}

#[tokio::test]
async fn every_state_is_told_and_decides_whether_the_api_answers() {
    let bench = bench().await;
    let ticket = bench.ticket().await;
    for &state in TenantState::ALL {
        bench.emulator.set_tenant_state(Sample::CONTEXT, state).unwrap();
        let told = bench.json("/api/state/Cust12345").await;
        let runs = matches!(state, TenantState::Running | TenantState::OnlineMaintenance);
        assert_eq!(told["State"], format!("{state:?}"));
        assert_eq!(told["IsRunning"], runs, "{state:?}");
        let status = bench.principal(&bench.emulator.url(), &ticket).await;
        assert_eq!(status, if runs { 200 } else { 503 }, "{state:?}");
    }
}

#[tokio::test]
async fn authentication_works_while_the_tenant_is_down() {
    let bench = bench().await;
    bench.emulator.set_tenant_state(Sample::CONTEXT, TenantState::OfflineMaintenance).unwrap();
    assert!(bench.ticket().await.starts_with("7T:"));
}

#[tokio::test]
async fn the_api_takes_its_own_tickets_with_the_right_secret_only() {
    let bench = bench().await;
    let ticket = bench.ticket().await;
    let url = bench.url("/Cust12345/api/v1/User/currentPrincipal");
    let client = reqwest::Client::new();
    for (authorization, secret, expected) in [
        (format!("SOTicket {ticket}"), Sample::CLIENT_SECRET, 200),
        (format!("soticket {ticket}"), Sample::CLIENT_SECRET, 200),
        (format!("Bearer {ticket}"), Sample::CLIENT_SECRET, 401),
        (ticket.clone(), Sample::CLIENT_SECRET, 401),
        ("SOTicket 7T:AAAA==".into(), Sample::CLIENT_SECRET, 401),
        (format!("SOTicket {ticket}"), "another", 401),
    ] {
        let request = client.get(&url).header("Authorization", &authorization).header("SO-AppToken", secret);
        assert_eq!(request.send().await.unwrap().status(), expected, "{authorization}");
    }
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(
        client.get(bench.url("/Cust54321/api/v1/User/currentPrincipal")).send().await.unwrap().status(),
        404
    );
}

#[tokio::test]
async fn ended_tickets_are_taken_no_longer() {
    let bench = bench().await;
    let ticket = bench.ticket().await;
    let url = bench.emulator.url();
    assert_eq!(bench.emulator.end_tickets("Cust54321"), 0);
    assert_eq!(bench.principal(&url, &ticket).await, 200);
    assert_eq!(bench.emulator.end_tickets("cust12345"), 1);
    assert_eq!(bench.principal(&url, &ticket).await, 401);
    assert_eq!(bench.principal(&url, &bench.ticket().await).await, 200);
}

#[tokio::test]
async fn a_state_can_name_another_address() {
    let bench = bench().await;
    let fault = Fault::OtherAddress { api: "http://example.com/api".into() };
    bench.emulator.faults().queue(Scope::State, Times::ONCE, fault);
    assert_eq!(bench.json("/api/state/Cust12345").await["Api"], "http://example.com/api");
}
