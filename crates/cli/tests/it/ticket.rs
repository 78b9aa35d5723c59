//! `soticket ticket`: each format, one tenant and all of them.

use serde_json::Value;
use soticket_emulator::{Approval, Fault, Sample, Scope, Times, Tls};

use crate::support::{Bench, KEY_FILE};

#[tokio::test(flavor = "multi_thread")]
async fn text_is_the_ticket_alone_on_a_line() {
    let bench = Bench::start().await;
    let ran = bench.soticket("ticket").run();
    assert_eq!(ran.err, "");
    let out = ran.done();
    let ticket = out.strip_suffix('\n').unwrap();
    assert!(ticket.starts_with("7T:") && !ticket.contains(char::is_whitespace), "{out:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_holds_the_ticket_its_times_and_the_claims() {
    let bench = Bench::start().await;
    let json = bench.soticket("ticket --format json").run().json();
    let claim = |name: &str| &json["claims"][format!("http://schemes.superoffice.net/identity/{name}")];
    assert_eq!(json["context"], Sample::CONTEXT);
    assert_eq!(claim("ctx"), Sample::CONTEXT);
    assert_eq!(json["webapi_url"], *claim("webapi_url"));
    assert!(json["ticket"].as_str().unwrap().starts_with("7T:"));
    assert!(json["issued_at"].as_str().unwrap() < json["expires_at"].as_str().unwrap());
    assert_eq!(json["clock_skew_seconds"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_the_two_of_an_api_call() {
    let bench = Bench::start().await;
    let out = bench.soticket("ticket --format headers").run().done();
    let lines: Vec<&str> = out.lines().collect();
    let [authorization, app_token] = lines[..] else { panic!("{out}") };
    assert!(authorization.starts_with("Authorization: SOTicket 7T:"), "{out}");
    assert_eq!(app_token, format!("SO-AppToken: {}", Sample::CLIENT_SECRET));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn env_is_taken_by_a_shell_and_runs_nothing() {
    let bench = Bench::start().await;
    let out = bench.soticket("ticket --format env").run().done();
    let script = format!("{out}\nprintf '%s %s' \"$SOTICKET_CONTEXT\" \"$SOTICKET_TICKET\"");
    let shell = std::process::Command::new("sh").args(["-eu", "-c", &script]).output().unwrap();
    let said = String::from_utf8(shell.stdout).unwrap();
    assert!(said.starts_with(&format!("{} 7T:", Sample::CONTEXT)), "{said}");
    assert!(shell.stderr.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_told_on_standard_error_and_in_json() {
    let bench = Bench::start().await;
    bench.emulator.faults().queue(Scope::All, Times::UntilCleared, Fault::WrongDate { seconds: 3600 });
    let ran = bench.soticket("ticket --format json").run();
    assert!(ran.err.contains("clock"), "{}", ran.err);
    let skew = ran.json()["clock_skew_seconds"].as_i64().unwrap().abs();
    assert!((3540..=3660).contains(&skew), "{skew}");
}

#[cfg(feature = "soap")]
#[tokio::test(flavor = "multi_thread")]
async fn soap_is_spoken_when_told_by_flag_variable_or_file() {
    let bench = Bench::start().await;
    let by_svc = || bench.emulator.log().iter().filter(|entry| entry.path.ends_with(".svc")).count();
    assert!(bench.soticket("ticket --transport soap").run().done().starts_with("7T:"));
    assert!(bench.soticket("ticket").env("SOTICKET_TRANSPORT", "soap").run().done().starts_with("7T:"));
    bench.desk.write("soap.toml", "transport = \"soap\"\n");
    assert!(bench.soticket("ticket --config soap.toml").run().done().starts_with("7T:"));
    assert_eq!(by_svc(), 3);
    bench.soticket("ticket --transport rest").env("SOTICKET_TRANSPORT", "soap").run().done();
    assert_eq!(by_svc(), 3, "a flag goes before a variable");
    let told = bench.soticket("ticket").env("SOTICKET_TRANSPORT", "corba").run().failed(2);
    assert!(told.contains("corba") && told.contains("rest or soap"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_trusted_by_the_authority_that_is_named_and_by_no_other() {
    let bench = Bench::start_with(Tls::ThrowAway).await;
    bench.desk.write("ca.pem", bench.emulator.ca_pem().unwrap());
    let out = bench.soticket("ticket --ca-file ca.pem").run().done();
    assert!(out.starts_with("7T:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_certificate_takes_the_place_of_the_key_set() {
    let bench = Bench::start().await;
    bench.emulator.faults().queue(Scope::Jwks, Times::UntilCleared, Fault::EmptyKeySet);
    bench.soticket("ticket").run().failed(5);
    bench.desk.write("login.pem", bench.emulator.federated_login_certificate_pem());
    bench.soticket("ticket --pinned-certificate login.pem").run().done();
    bench.soticket("ticket").env("SOTICKET_PINNED_CERTIFICATE", "login.pem").run().done();
}

/// A settings file with the sample's tenant, and one that nobody knows.
fn two_tenants(bench: &Bench) {
    bench.desk.write("token.txt", Sample::SYSTEM_USER_TOKEN);
    bench.desk.write(
        "soticket.toml",
        format!(
            "environment = '{}'\nsigner = '{KEY_FILE}'\n\
             [[tenants]]\ncontext = 'Cust99999'\nsystem-user-token-file = 'token.txt'\n\
             [[tenants]]\ncontext = '{}'\nsystem-user-token-file = 'token.txt'\n",
            bench.emulator.url(),
            Sample::CONTEXT,
        ),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_goes_on_after_a_failure_and_exits_with_it() {
    let bench = Bench::start().await;
    two_tenants(&bench);
    let ran = bench.soticket("ticket --all").without("SOTICKET_CONTEXT").run();
    assert_eq!(ran.code, 4, "{ran:#?}");
    assert!(ran.out.starts_with(&format!("{}\t7T:", Sample::CONTEXT)), "{ran:#?}");
    assert_eq!(ran.out.lines().count(), 1);
    assert!(ran.err.contains("Cust99999"), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_in_json_is_one_object_a_line() {
    let bench = Bench::start().await;
    two_tenants(&bench);
    let ran = bench.soticket("ticket --all --format json").run();
    let json: Value = serde_json::from_str(ran.out.trim_end()).unwrap();
    assert_eq!(json["context"], Sample::CONTEXT);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_of_the_list_is_asked_for_by_its_name() {
    let bench = Bench::start().await;
    two_tenants(&bench);
    bench.soticket("ticket").without("SOTICKET_SYSTEM_USER_TOKEN").run().done();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_without_a_list_of_tenants_is_wrong_usage() {
    let bench = Bench::start().await;
    let err = bench.soticket("ticket --all").run().failed(2);
    assert!(err.contains("[[tenants]]"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_approval_is_told_with_its_reason() {
    let bench = Bench::start().await;
    bench.emulator.set_approval(Sample::CONTEXT, Approval::Revoked).unwrap();
    let err = bench.soticket("ticket").run().failed(4);
    assert!(err.to_lowercase().contains("revoked"), "{err}");
}
