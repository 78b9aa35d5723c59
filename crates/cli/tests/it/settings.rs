//! Where settings come from: flags, else the environment, else the settings file.

use soticket_emulator::Sample;

use crate::support::{Bench, Desk, KEY_FILE};

/// A settings file that is right but for what the test overrides.
fn settings_file(bench: &Bench, name: &str, context: &str) {
    bench.desk.write("client-secret.txt", format!("{}\n", Sample::CLIENT_SECRET));
    bench.desk.write("token.txt", format!("{}\r\n", Sample::SYSTEM_USER_TOKEN));
    bench.desk.write(
        name,
        format!(
            "environment = '{}'\ncontext = '{context}'\nsigner = '{}'\ntransport = 'rest'\n\
             client-secret-file = '{}'\nsystem-user-token-file = '{}'\n",
            bench.emulator.url(),
            bench.desk.path(KEY_FILE).display(),
            bench.desk.path("client-secret.txt").display(),
            bench.desk.path("token.txt").display(),
        ),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settings_file_alone_is_enough() {
    let bench = Bench::start().await;
    for (name, arguments) in [
        ("soticket.toml", "ticket"),
        (".config/soticket/soticket.toml", "ticket"),
        ("elsewhere/other.toml", "ticket --config elsewhere/other.toml"),
    ] {
        settings_file(&bench, name, Sample::CONTEXT);
        bench.desk.soticket(arguments).run().done();
        std::fs::remove_file(bench.desk.path(name)).unwrap();
        bench.desk.soticket("ticket").run().failed(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_goes_before_the_environment_which_goes_before_the_file() {
    let bench = Bench::start().await;
    settings_file(&bench, "soticket.toml", "CustFile/");
    // Each of these is malformed in its own way, so that the failure tells which one was taken.
    let run = |arguments| bench.desk.soticket(arguments);
    let told = |err: String, place: &str| assert!(err.contains(place), "{place}: {err}");
    told(run("ticket").run().failed(2), "`context` in");
    told(run("ticket").env("SOTICKET_CONTEXT", "CustEnvironment/").run().failed(2), "SOTICKET_CONTEXT");
    told(
        run("ticket --context CustFlag/").env("SOTICKET_CONTEXT", "CustEnvironment/").run().failed(2),
        "--context",
    );
    let right = run("ticket --context").arg(Sample::CONTEXT);
    right.env("SOTICKET_CONTEXT", "CustEnvironment/").run().done();
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_in_a_settings_file_are_meant_from_where_it_lies() {
    let bench = Bench::start().await;
    bench.desk.write("etc/partner.xml", bench.desk.read(KEY_FILE));
    bench.desk.write("etc/token.txt", Sample::SYSTEM_USER_TOKEN);
    bench.desk.write("etc/settings.toml", "signer = 'partner.xml'\nsystem-user-token-file = 'token.txt'\n");
    std::fs::remove_file(bench.desk.path(KEY_FILE)).unwrap();
    bench.desk.soticket("sign --config etc/settings.toml").run().done();
}

#[test]
fn an_unknown_key_is_named_with_its_file_and_line() {
    let desk = Desk::new();
    desk.write("soticket.toml", "environment = 'sod'\n\ncolour = 'red'\n");
    let err = desk.soticket("ticket").run().failed(2);
    for told in ["soticket.toml", "line 3", "colour"] {
        assert!(err.contains(told), "{err}");
    }
}

#[test]
fn an_unknown_key_of_a_tenant_is_refused_as_well() {
    let desk = Desk::new();
    desk.write("soticket.toml", "[[tenants]]\ncontext = 'Cust1'\ntoken-file = 'x'\n");
    let err = desk.soticket("ticket --all").run().failed(2);
    assert!(err.contains("token-file") && err.contains("line 3"), "{err}");
}

#[test]
fn a_secret_in_the_settings_file_is_refused_and_not_repeated() {
    let desk = Desk::new();
    for key in ["client-secret", "system-user-token", "key-passphrase", "store-key"] {
        for line in [format!("{key} = 's3cr3t'"), format!("{key} = 's3cr3t"), format!("{key} = s3cr3t")] {
            desk.write("soticket.toml", line);
            let err = desk.soticket("ticket").run().failed(2);
            assert!(!err.contains("s3cr3t"), "{err}");
        }
        desk.write("soticket.toml", format!("{key} = 's3cr3t'"));
        let err = desk.soticket("ticket").run().failed(2);
        assert!(err.contains(&format!("{key}-file")), "{err}");
    }
}

#[test]
fn a_tenants_secret_in_the_settings_file_is_not_repeated() {
    let desk = Desk::new();
    desk.write("soticket.toml", "[[tenants]]\ncontext = 'Cust1'\nsystem-user-token = 's3cr3t'\n");
    let err = desk.soticket("ticket --all").run().failed(2);
    assert!(err.contains("system-user-token") && !err.contains("s3cr3t"), "{err}");
}
