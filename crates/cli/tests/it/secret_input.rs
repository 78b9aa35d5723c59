//! Secrets come from the environment, a file or standard input, and never from the command line.

use soticket_emulator::Sample;

use crate::support::{Bench, Desk};

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    for flag in ["--client-secret", "--system-user-token", "--key-passphrase", "--store-key"] {
        for arguments in [format!("ticket {flag} s3cr3t"), format!("ticket {flag}=s3cr3t")] {
            let ran = Desk::new().soticket(&arguments).run();
            assert_eq!(ran.code, 2, "{ran:#?}");
            assert!(!ran.err.contains("s3cr3t"), "{ran:#?}");
            assert!(ran.err.contains("command line"), "{ran:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_without_its_line_end() {
    let bench = Bench::start().await;
    for end in ["", "\n", "\r\n"] {
        bench.desk.write("secret.txt", format!("{}{end}", Sample::CLIENT_SECRET));
        let run = bench.soticket("ticket --client-secret-file secret.txt").without("SOTICKET_CLIENT_SECRET");
        let ran = run.run();
        assert_eq!(ran.err, "", "{end:?}");
        ran.done();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dash_is_standard_input() {
    let bench = Bench::start().await;
    let run = bench.soticket("ticket --system-user-token-file -").without("SOTICKET_SYSTEM_USER_TOKEN");
    run.input(format!("{}\n", Sample::SYSTEM_USER_TOKEN)).run().done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_named_goes_before_the_environment() {
    let bench = Bench::start().await;
    bench.desk.write("secret.txt", Sample::CLIENT_SECRET);
    let run = bench.soticket("ticket --client-secret-file secret.txt").env("SOTICKET_CLIENT_SECRET", "wrong");
    run.run().done();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_or_endless_secret_is_refused() {
    let bench = Bench::start().await;
    bench.desk.write("empty.txt", "\n");
    bench.desk.write("huge.txt", vec![b'x'; 1024 * 1024]);
    for file in ["empty.txt", "huge.txt"] {
        let err = bench.soticket("ticket --client-secret-file").arg(file).run().failed(2);
        assert!(err.contains(file) && !err.contains("xxxx"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_prompt_is_shown_where_nobody_can_answer() {
    let bench = Bench::start().await;
    let err = bench.soticket("ticket").without("SOTICKET_CLIENT_SECRET").run().failed(2);
    assert!(err.contains("SOTICKET_CLIENT_SECRET"), "{err}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_file_that_others_can_read_is_warned_of() {
    let bench = Bench::start().await;
    let path = bench.desk.write("secret.txt", Sample::CLIENT_SECRET);
    crate::support::set_mode(&path, 0o644);
    let ran = bench.soticket("ticket --client-secret-file secret.txt").run();
    assert!(ran.err.contains("chmod 600") && ran.err.contains("secret.txt"), "{}", ran.err);
    ran.done();
}
