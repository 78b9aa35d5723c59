//! Each exit code, by each way to it.

use soticket_emulator::{Fault, FaultyBody, JwtDefect, Refusal, Sample, Scope, Times, Tls};

use crate::support::{Bench, Desk};

#[tokio::test(flavor = "multi_thread")]
async fn two_is_wrong_usage_or_configuration() {
    let bench = Bench::start().await;
    for (arguments, told) in [
        ("ticket --no-such-flag", "--no-such-flag"),
        ("ticket --context", "--context"),
        ("ticket --context Cust/1", "--context"),
        ("ticket --environment http://example.com", "--environment"),
        ("ticket --transport graphql", "--transport"),
        ("ticket --format yaml", "yaml"),
        ("ticket --all --context Cust1", "--all"),
        ("ticket --ca-file missing.pem", "missing.pem"),
        ("ticket --ca-file partner.xml", "partner.xml"),
        ("ticket --pinned-certificate partner.xml", "partner.xml"),
        ("ticket --client-secret-file missing.txt", "missing.txt"),
        ("ticket --config missing.toml", "missing.toml"),
        ("ticket --signer missing.pem", "missing.pem"),
        ("ticket --signer awskms://alias/partner", "aws"),
    ] {
        let err = bench.soticket(arguments).run().failed(2);
        assert!(err.contains(told), "{arguments}: {err}");
    }
    assert_eq!(bench.emulator.exchanges(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_is_missing_is_named_with_each_way_to_set_it() {
    let bench = Bench::start().await;
    for name in ["environment", "context", "signer"] {
        let variable = format!("SOTICKET_{}", name.to_uppercase());
        let err = bench.soticket("ticket").without(&variable).run().failed(2);
        assert!(err.contains(&variable) && err.contains(&format!("--{name}")), "{err}");
    }
    for variable in ["SOTICKET_CLIENT_SECRET", "SOTICKET_SYSTEM_USER_TOKEN"] {
        let err = bench.soticket("ticket").without(variable).run().failed(2);
        assert!(err.contains(variable) && err.contains("-file"), "{err}");
    }
}

#[test]
fn no_command_is_wrong_usage() {
    let ran = Desk::new().soticket("").run();
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("Usage:"), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_is_a_signer_that_failed() {
    let bench = Bench::start().await;
    bench.desk.write("damaged.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    bench.desk.write("empty.pem", "");
    for key in ["damaged.pem", "empty.pem"] {
        let err = bench.soticket("ticket --signer").arg(key).run().failed(3);
        assert!(err.contains(key), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_is_a_refusal_by_each_of_its_names() {
    let bench = Bench::start().await;
    for &code in Refusal::ALL {
        // A time stamp that is refused is signed once more, with the service's time.
        let fault = Fault::Refusal { code, text: None };
        bench.emulator.faults().queue(Scope::Exchange, Times::UntilCleared, fault);
        bench.soticket("ticket").run().failed(4);
        bench.emulator.faults().clear();
    }
    bench.soticket("ticket").env("SOTICKET_CLIENT_SECRET", "another").run().failed(4);
    bench.soticket("ticket --context Cust99999").run().failed(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_is_each_answer_that_cannot_be_trusted() {
    let bench = Bench::start().await;
    let jwts = JwtDefect::ALL.iter().map(|&defect| Fault::jwt(defect));
    let others = [
        Fault::SamlToken,
        Fault::WithoutToken,
        Fault::Status { status: 200, body: FaultyBody::Html },
        Fault::Status { status: 200, body: FaultyBody::Huge(4 * 1024 * 1024) },
        Fault::Redirect { status: 302, location: "https://example.com/".into() },
    ];
    for fault in jwts.chain(others) {
        bench.spoil(fault.clone());
        let ran = bench.soticket("ticket").run();
        assert_eq!(ran.code, 5, "{fault:?}: {ran:#?}");
        assert_eq!(ran.out, "", "{fault:?}");
    }
    bench.soticket("ticket").run().done();
}

#[tokio::test(flavor = "multi_thread")]
async fn six_is_a_network_that_failed_after_retries() {
    let bench = Bench::start().await;
    bench.emulator.faults().queue(Scope::Exchange, Times::UntilCleared, Fault::Drop);
    bench.soticket("ticket").run().failed(6);
    let attempts = bench.emulator.log().len();
    assert!(attempts > 1, "{attempts} attempts");
    bench.emulator.faults().clear();
    bench.spoil(Fault::Status { status: 503, body: FaultyBody::Empty });
    bench.soticket("ticket").run().done();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_not_known_gets_no_secret() {
    let bench = Bench::start_with(Tls::ThrowAway).await;
    let err = bench.soticket("ticket").run().failed(5);
    assert!(err.contains("certificate"), "{err}");
    assert_eq!(bench.emulator.log().len(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn one_is_a_result_that_cannot_be_written() {
    let bench = Bench::start().await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut run = bench.soticket("ticket");
    let output = run.command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("error: ") && !err.contains("panicked"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_tells_its_causes_once_and_no_secret() {
    let bench = Bench::start().await;
    bench.emulator.faults().queue(Scope::Exchange, Times::UntilCleared, Fault::Drop);
    let err = bench.soticket("ticket").run().failed(6);
    let mut lines: Vec<&str> = err.lines().filter(|line| line.contains("caused by: ")).collect();
    let told = lines.len();
    lines.dedup();
    assert_eq!(lines.len(), told, "{err}");
    assert!(!err.contains(Sample::CLIENT_SECRET) && !err.contains(Sample::SYSTEM_USER_TOKEN));
}
