//! `soticket ticket --all --store`: taken up where it was broken off.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::support::Bench;

const TENANTS: usize = 60;
const PARALLEL: u64 = 4;

fn list(bench: &Bench) {
    let lines = (0..TENANTS).map(|number| format!("{},{}\n", Bench::context(number), Bench::token(number)));
    let text: String = std::iter::once("context,system_user_token\n".to_owned()).chain(lines).collect();
    bench.desk.write("list.csv", text);
}

const ALL: &str = "ticket --all --tenants list.csv --rate 0 --parallel 4";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_exchanges_nothing_and_refresh_everything() {
    let bench = Bench::with_tenants(TENANTS).await;
    list(&bench);
    let sorted = |out: String| {
        let mut lines: Vec<_> = out.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let first = sorted(bench.keeping(ALL).run().done());
    let ran = bench.keeping(ALL).run();
    assert_eq!(ran.err, "60 tenants: 60 tickets (0 by exchange, 60 from the store), 0 failed\n");
    assert_eq!(sorted(ran.done()), first);
    assert_eq!(bench.emulator.exchanges(), 60);
    assert_ne!(sorted(bench.keeping(ALL).arg("--refresh").run().done()), first);
    assert_eq!(bench.emulator.exchanges(), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_is_taken_up_again() {
    let bench = Bench::with_tenants(TENANTS).await;
    list(&bench);
    let (mut got, mut kills) = (0, 0);
    while got < TENANTS {
        let mut run = bench.keeping(ALL);
        let mut child = run.command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let before = bench.emulator.exchanges();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        got = 0;
        for line in lines {
            line.unwrap();
            got += 1;
            if bench.emulator.exchanges() >= before + 20 {
                child.kill().unwrap();
                kills += 1;
                break;
            }
        }
        child.wait().unwrap();
    }
    assert!(kills >= 2, "{kills} rounds were killed");
    let exchanges = bench.emulator.exchanges();
    assert!(exchanges <= TENANTS as u64 + kills * PARALLEL, "{exchanges} exchanges");
    let ran = bench.keeping(ALL).run();
    assert!(ran.err.contains("60 tickets (0 by exchange, 60 from the store)"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_told_a_few_times_and_not_for_each_tenant() {
    let bench = Bench::with_tenants(TENANTS).await;
    list(&bench);
    bench.keeping(ALL).run().done();
    std::fs::remove_file(bench.desk.path("store.key")).unwrap();
    let ran = bench.keeping(ALL).run();
    assert!(ran.err.contains("60 by exchange") && ran.err.contains("more warnings"), "{}", ran.err);
    assert!((1..=20).contains(&ran.err.matches("WARN").count()), "{}", ran.err);
    ran.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_tried_again_by_the_same_command_which_is_said() {
    let bench = Bench::with_tenants(TENANTS - 1).await;
    list(&bench);
    let ran = bench.keeping(ALL).run();
    assert_eq!(ran.code, 4, "{ran:#?}");
    assert!(ran.err.contains("run the same command again") && ran.err.contains("`tickets`"), "{}", ran.err);
}
