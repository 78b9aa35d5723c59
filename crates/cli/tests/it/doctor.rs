//! `soticket doctor`: a healthy chain, and each link broken by itself.

use serde_json::Value;
use soticket_emulator::{Fault, Refusal, Sample, Scope, Times, Tls};

use crate::support::Bench;

/// What `doctor --format json` found.
struct Diagnosis {
    code: i32,
    json: Value,
}

impl Diagnosis {
    fn of(bench: &Bench, arguments: &str) -> Self {
        let ran = bench.soticket(&format!("doctor --format json {arguments}")).run();
        let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
        for secret in [Sample::CLIENT_SECRET, Sample::SYSTEM_USER_TOKEN, "7T:"] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:#?}");
        }
        Self { code: ran.code, json }
    }

    fn check(&self, name: &str) -> &Value {
        let mut checks = self.json["checks"].as_array().unwrap().iter();
        checks.find(|check| check["check"] == name).unwrap_or_else(|| panic!("no {name} in {}", self.json))
    }

    /// Asserts that the link is the one that failed, with a cure, and that it decided the exit code.
    #[track_caller]
    fn blames(&self, name: &str, code: i32) {
        assert_eq!(self.code, code, "{}", self.json);
        assert_eq!(self.json["exit_code"], code);
        assert_eq!(self.check(name)["outcome"], "failed", "{}", self.json);
        assert!(self.check(name)["cure"].is_string(), "{}", self.json);
    }

    #[track_caller]
    fn has(&self, name: &str, outcome: &str) {
        assert_eq!(self.check(name)["outcome"], outcome, "{}", self.json);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_chain_is_ok_and_costs_no_record_unless_asked() {
    let bench = Bench::start().await;
    let diagnosis = Diagnosis::of(&bench, "");
    assert_eq!(diagnosis.code, 0);
    for name in ["configuration", "signer", "clock", "network", "JWT keys"] {
        diagnosis.has(name, "ok");
    }
    diagnosis.has("exchange", "skipped");
    assert_eq!(bench.emulator.exchanges(), 0);
    Diagnosis::of(&bench, "--exchange").has("exchange", "ok");
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_has_a_line_for_each_check_and_the_cure_of_what_failed() {
    let bench = Bench::start().await;
    let out = bench.soticket("doctor").run().done();
    assert_eq!(out.lines().count(), 6, "{out}");
    assert_eq!(out.lines().filter(|line| line.starts_with("ok ")).count(), 5, "{out}");
    let ran = bench.soticket("doctor --signer missing.pem").run();
    assert!(ran.out.contains("failed   signer") && ran.out.contains("cure: "), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_settings_are_the_configurations_fault() {
    let bench = Bench::start().await;
    Diagnosis::of(&bench, "--context Cust/1").blames("configuration", 2);
    bench.desk.write("soticket.toml", "no-such-key = 1");
    Diagnosis::of(&bench, "").blames("configuration", 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_is_the_signers_fault_and_what_came_before_stands() {
    let bench = Bench::start().await;
    bench.desk.write("empty.pem", "");
    let diagnosis = Diagnosis::of(&bench, "--signer empty.pem");
    diagnosis.blames("signer", 3);
    diagnosis.has("configuration", "ok");
    diagnosis.has("exchange", "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signer_is_checked_though_the_configuration_failed() {
    let bench = Bench::start().await;
    let diagnosis = Diagnosis::of(&bench, "--context Cust/1");
    diagnosis.has("signer", "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_found_and_the_way_to_the_service_is_ok() {
    let bench = Bench::start().await;
    bench.emulator.faults().queue(Scope::All, Times::UntilCleared, Fault::WrongDate { seconds: 3600 });
    let diagnosis = Diagnosis::of(&bench, "");
    assert_eq!(diagnosis.check("clock")["outcome"], "failed", "{}", diagnosis.json);
    diagnosis.has("network", "ok");
    assert_ne!(diagnosis.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nobody_listens_is_the_networks_fault() {
    let bench = Bench::start().await;
    // Never given out as a free port, so that no other test listens there.
    Diagnosis::of(&bench, "--environment http://127.0.0.1:1").blames("network", 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_is_the_networks_fault_and_cured_by_naming_it() {
    let bench = Bench::start_with(Tls::ThrowAway).await;
    let diagnosis = Diagnosis::of(&bench, "");
    diagnosis.blames("network", 5);
    assert!(diagnosis.check("network")["cure"].as_str().unwrap().contains("--ca-file"));
    bench.desk.write("ca.pem", bench.emulator.ca_pem().unwrap());
    assert_eq!(Diagnosis::of(&bench, "--ca-file ca.pem").code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_set_without_keys_is_found_and_cured_by_pinning() {
    let bench = Bench::start().await;
    bench.emulator.faults().queue(Scope::Jwks, Times::UntilCleared, Fault::EmptyKeySet);
    let diagnosis = Diagnosis::of(&bench, "");
    diagnosis.blames("JWT keys", 5);
    diagnosis.has("network", "ok");
    bench.desk.write("login.pem", bench.emulator.federated_login_certificate_pem());
    assert_eq!(Diagnosis::of(&bench, "--pinned-certificate login.pem").code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_the_exchanges_fault() {
    let bench = Bench::start().await;
    bench.spoil(Fault::Refusal { code: Refusal::Revoked, text: None });
    Diagnosis::of(&bench, "--exchange").blames("exchange", 4);
}
