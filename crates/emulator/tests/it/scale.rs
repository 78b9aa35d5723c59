//! Many tenants, many requests, and what is told of them in numbers.

use std::path::Path;

use serde_json::{Value, json};
use soticket_emulator::{Config, Emulator, Fault, FaultyBody, ManyTenants, Sample, Scope, Times};

use crate::support::{bench, bench_with};

const MANY: u32 = 50_000;

#[tokio::test]
async fn fifty_thousand_tenants_are_named_by_a_rule_and_each_is_served() {
    let many = ManyTenants::new(Sample::APPLICATION, MANY).with_first(20_000);
    let bench = bench_with(|config| config.with_many_tenants(&many)).await;
    let names: Vec<_> = many.names().collect();
    assert_eq!(names.len(), MANY as usize);
    for (context, token) in [&names[0], &names[names.len() - 1]] {
        let answer = bench.exchange_for(context, &bench.signed_of(token)).await;
        assert_eq!(answer["IsSuccessful"], true, "{answer}");
        let state = bench.json(&format!("/api/state/{}", context.to_uppercase())).await;
        assert_eq!((&state["ContextIdentifier"], &state["State"]), (&json!(context), &json!("Running")));
        assert_eq!(bench.emulator.exchanges_of(context).unwrap(), 1);
    }
    assert_eq!(names[0], ("Cust20000".into(), format!("{}-cust20000", Sample::APPLICATION)));
    let answer = bench.exchange_for("Cust20001", &bench.signed_of(&names[2].1)).await;
    assert_eq!(answer["IsSuccessful"], false, "another tenant's token is none of this one's");
    assert!(bench.exchange(&bench.signed()).await["Token"].is_string(), "the sample's own tenant stays");
}

#[test]
fn a_file_names_many_tenants_and_a_name_that_comes_twice_is_found() {
    let folder = tempfile::tempdir().unwrap();
    Config::sample(folder.path().join("key.xml")).unwrap();
    let file = |many: &str, context: &str| {
        let text = format!(
            "[[applications]]\nname = 'A'\nclient_secret = 's'\npublic_key_file = 'key.xml'\n[many_tenants]\n{many}\n\
             [[tenants]]\ncontext = '{context}'\nserial = '1'\n"
        );
        Config::from_toml(&text, folder.path())
    };
    assert_eq!(file("application = 'A'\ncount = 50000", "Cust9999").unwrap().tenants.len(), 50_001);
    let error = file("application = 'A'\ncount = 1\nfirst = 7", "CUST7").unwrap_err().to_string();
    assert!(error.to_lowercase().contains("cust7 comes twice"), "{error}");
    let error = file("application = 'B'\ncount = 1", "Cust7").unwrap_err().to_string();
    assert!(error.contains("not configured"), "{error}");
    assert!(Config::from_toml("applications = []\n[many_tenants]\ncount = 1", Path::new(".")).is_err());
}

#[tokio::test]
async fn statistics_count_what_came_of_requests_and_not_themselves() {
    let bench = bench().await;
    let faults = bench.emulator.faults();
    let signed = bench.signed();
    bench.exchange(&signed).await;
    bench.exchange(&signed).await;
    faults.queue(Scope::Exchange, Times::ONCE, Fault::WithoutToken);
    bench.exchange(&signed).await;
    bench.exchange_for("Cust54321", &signed).await;
    bench.json("/api/state/Cust12345").await;
    faults.queue(Scope::All, Times::UntilCleared, Fault::Drop);
    let told = bench.json("/emulator/statistics").await;
    let expected = json!({
        "requests": 5, "exchanges": 2, "issued": 2, "refused": 1, "failed": 1, "most_for_one_tenant": 2,
    });
    assert_eq!(told, expected);
    assert_eq!(serde_json::to_value(bench.emulator.statistics()).unwrap(), expected);
}

#[tokio::test]
async fn the_log_forgets_the_oldest_and_the_numbers_forget_nothing() {
    let bench = bench().await;
    let client = reqwest::Client::new();
    let total = Emulator::LOG_CAPACITY + 5;
    for number in 0..total {
        client.get(bench.url(&format!("/{number}"))).send().await.unwrap();
    }
    let log = bench.emulator.log();
    assert_eq!((log.len(), &*log[0].path), (Emulator::LOG_CAPACITY, "/5"));
    assert_eq!(bench.emulator.statistics().requests, total as u64);
}

#[tokio::test]
async fn a_fault_can_strike_one_tenant_alone_in_every_scope() {
    let many = ManyTenants::new(Sample::APPLICATION, 1);
    let bench = bench_with(|config| config.with_many_tenants(&many)).await;
    let fault = Fault::Status { status: 418, body: FaultyBody::Empty };
    let client = reqwest::Client::new();
    bench.emulator.faults().queue_for("CUST10000", Scope::All, Times::UntilCleared, fault);
    for (context, struck) in [("Cust10000", true), ("cust10000", true), ("Cust12345", false)] {
        for path in [format!("/api/state/{context}"), format!("/{context}/api/v1/User/currentPrincipal")] {
            let status = client.get(bench.url(&path)).send().await.unwrap().status();
            assert_eq!(status == 418, struck, "{path}: {status}");
        }
        let body = json!({"SignedSystemToken": "x", "ApplicationToken": "x", "ContextIdentifier": context, "ReturnTokenType": "JWT"});
        let url = bench.url("/login/api/partnersystemuser/authenticate");
        let status = client.post(url).json(&body).send().await.unwrap().status();
        assert_eq!(status == 418, struck, "{context}: {status}");
    }
    let keys: Value = bench.json("/login/.well-known/jwks").await;
    assert!(keys["keys"].is_array(), "what concerns no tenant is spared");
}
