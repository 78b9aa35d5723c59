//! The progress bar, seen on a pseudo-terminal that `script` of util-linux makes.

use std::process::{Command, Stdio};

use crate::support::{Bench, PROGRAM};

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_is_shown_on_a_terminal_and_garbles_no_line() {
    let bench = Bench::with_tenants(20).await;
    let lines = (0..21).map(|number| format!("{},{}\n", Bench::context(number), Bench::token(number)));
    let text: String = std::iter::once("context,system_user_token\n".to_owned()).chain(lines).collect();
    bench.desk.write("list.csv", text);
    let ran = on_a_terminal(&bench, "ticket --all --tenants list.csv --rate 20");
    assert!(ran.contains(" of 21 tenants, "), "{ran}");
    assert_eq!(ran.matches("\t7T:").count(), 20, "{ran}");
    assert!(ran.contains("21 tenants: 20 tickets") && ran.ends_with("status 4\r\n"), "{ran}");
    for line in ran.split("\r\n").filter(|line| line.contains("\t7T:") || line.contains("error: ")) {
        let (_bar, alone) = line.rsplit_once(CLEARED).unwrap_or(("", line));
        assert!(alone.starts_with("Many000") || alone.starts_with("error: Many00020: "), "{line:?}");
        assert!(!alone.contains("to go"), "{line:?}");
    }
}

/// What a terminal shows for a blank line, before the next text is written there.
const CLEARED: &str = "\u{1b}[2K";

/// Runs the program with all of its streams on one terminal, and gives what that was sent.
fn on_a_terminal(bench: &Bench, arguments: &str) -> String {
    let command = format!("{PROGRAM} {arguments}; echo status $?");
    let settings = bench.soticket("").command;
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]).current_dir(bench.desk.path(""));
    script.env_clear().env("TERM", "xterm");
    script.envs(settings.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tests need `script` of util-linux");
    // It ends with its input, and is to end with the program.
    let _input = child.stdin.take();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}
