//! Results on standard output and all else on standard error, whoever reads them.

use std::process::Stdio;

use crate::support::{Bench, Desk};

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let desk = Desk::new();
    for arguments in ["completions bash", "man", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut run = desk.soticket(arguments);
        let output = run.command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(err, "", "{arguments}");
        assert_ne!(output.status.code(), Some(101), "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verbosity_is_told_on_standard_error_only() {
    let bench = Bench::start().await;
    let ran = bench.soticket("ticket -vvv").run();
    assert!(!ran.err.is_empty());
    assert_eq!(ran.done().lines().count(), 1);
    let ran = bench.soticket("ticket").env("SOTICKET_LOG", "soticket_core=trace").run();
    assert!(!ran.err.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_setting_that_is_not_understood_is_said_and_left_aside() {
    let bench = Bench::start().await;
    let ran = bench.soticket("ticket").env("SOTICKET_LOG", "soticket=loudly").run();
    assert!(ran.err.contains("SOTICKET_LOG"), "{}", ran.err);
    ran.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_colour_where_there_is_no_terminal() {
    let bench = Bench::start().await;
    for arguments in ["ticket -vvv", "ticket --no-such-flag", "doctor", "--help"] {
        let ran = bench.soticket(arguments).run();
        assert!(!ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'), "{arguments}");
    }
}
