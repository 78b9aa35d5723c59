//! `soticket ticket --all`: lists of tenants, results in any order, failures summarised.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use soticket_emulator::{Approval, Sample};

use crate::support::{Bench, Run};

const TENANTS: usize = 200;

fn csv(tenants: usize) -> String {
    let lines = (0..tenants).map(|number| format!("{},{}\r\n", Bench::context(number), Bench::token(number)));
    std::iter::once("context,system_user_token\r\n".to_owned()).chain(lines).collect()
}

fn json_lines(tenants: usize) -> String {
    let line = |number| {
        let line = json!({"system_user_token": Bench::token(number), "context": Bench::context(number)});
        format!("{line}\n")
    };
    (0..tenants).map(line).collect()
}

fn all(bench: &Bench, arguments: &str) -> Run {
    bench.soticket("ticket --all --rate 0").args(["--tenants", arguments])
}

/// The tickets of the lines of text.
fn tickets(out: &str) -> BTreeMap<String, String> {
    let tickets = out.lines().map(|line| {
        let (context, ticket) = line.split_once('\t').unwrap();
        assert!(ticket.starts_with("7T:"), "{line}");
        (context.to_owned(), ticket.to_owned())
    });
    tickets.collect()
}

fn contexts(tenants: usize) -> BTreeSet<String> {
    (0..tenants).map(Bench::context).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_of_a_list_gets_its_ticket_once() {
    let bench = Bench::with_tenants(TENANTS).await;
    bench.desk.write("list.csv", csv(TENANTS));
    bench.desk.write("list.jsonl", json_lines(TENANTS));
    for (run, exchanges) in [
        (all(&bench, "list.csv"), 1),
        (all(&bench, "list.jsonl"), 2),
        (all(&bench, "-").input(csv(TENANTS)), 3),
        (all(&bench, "-").input(json_lines(TENANTS)), 4),
    ] {
        let ran = run.run();
        assert!(
            ran.err.starts_with("200 tenants: 200 tickets (200 by exchange, 0 from the store), 0 failed\n"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("--store"), "{}", ran.err);
        let tickets = tickets(&ran.done());
        assert_eq!(tickets.keys().cloned().collect::<BTreeSet<_>>(), contexts(TENANTS));
        assert_eq!(bench.emulator.exchanges(), exchanges * 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_an_object_a_line() {
    let bench = Bench::with_tenants(20).await;
    let out = all(&bench, "-").args(["--format", "json"]).input(csv(20)).run().done();
    let objects = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: BTreeSet<_> = objects.map(|object| object["context"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, contexts(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_as_they_come_and_summed_up_by_cause_and_the_worst_decides() {
    let bench = Bench::with_tenants(20).await;
    for number in 0..5 {
        bench.emulator.set_approval(&Bench::context(number), Approval::Revoked).unwrap();
    }
    bench.emulator.set_approval(&Bench::context(5), Approval::Expired).unwrap();
    bench.desk.write("list.csv", csv(20) + "Many/,s3cr3t\r\nMany00007,App-s3cr3t\r\nMany00030,\r\n");
    let ran = all(&bench, "list.csv").run();
    assert_eq!(ran.code, 4, "{ran:#?}");
    assert_eq!(tickets(&ran.out).len(), 14);
    for number in 0..6 {
        assert!(ran.err.contains(&format!("error: {}: ", Bench::context(number))), "{}", ran.err);
    }
    assert!(ran.err.contains("line 22 of") && ran.err.contains("line 24 of"), "{}", ran.err);
    assert!(ran.err.contains("listed twice") && ran.err.contains("Many00007"), "{}", ran.err);
    assert!(!ran.err.contains("s3cr3t"), "{}", ran.err);
    let summary: Vec<_> = ran.err.lines().skip_while(|line| !line.contains(" tenants: ")).collect();
    assert!(summary[0].contains("22 tenants: 14 tickets") && summary[0].contains("8 failed"), "{summary:#?}");
    assert!(summary[1].contains("5 × ") && summary[1].contains("Revoked") && summary[1].contains("Many0000"));
    assert_eq!(ran.err.matches("WARN").count(), 1, "a failure is told once: {}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_alone_is_wrong_configuration() {
    let bench = Bench::with_tenants(3).await;
    let ran = all(&bench, "-").input(csv(3) + "Many00003\n").run();
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert_eq!(tickets(&ran.out).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_exchanges_start_in_a_second_than_the_rate_allows() {
    let bench = Bench::with_tenants(10).await;
    bench.desk.write("soticket.toml", "parallel = 2\nrate = 5\n");
    let ran = bench.soticket("ticket --all --tenants -").input(csv(10)).run();
    ran.done();
    let times: Vec<_> = bench
        .emulator
        .log()
        .into_iter()
        .filter(|entry| entry.context.is_some())
        .map(|entry| entry.time)
        .collect();
    let span = times.last().unwrap().duration_since(*times.first().unwrap());
    assert!(span.as_millis() >= 1500, "ten at five a second took {span:?}");
    let ran = bench.soticket("ticket --all --rate 0 --parallel 10 --tenants -").input(csv(10)).run();
    ran.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_wrong_usage() {
    let bench = Bench::start().await;
    bench.desk.write("wrong.toml", "parallel = 0\n");
    bench.desk.write("list.csv", csv(1));
    for (arguments, told) in [
        ("ticket --tenants list.csv", "--all"),
        ("ticket --parallel 3", "--all"),
        ("ticket --all --parallel 0 --tenants list.csv", "--parallel"),
        ("ticket --all --rate -1 --tenants list.csv", "-1"),
        ("ticket --all --tenants list.csv --format headers", "--format"),
        ("ticket --all --tenants list.csv --format env", "--format"),
        ("ticket --all --tenants - --client-secret-file -", "--tenants"),
        ("ticket --client-secret-file - --system-user-token-file -", "--system-user-token-file"),
        ("ticket --all --tenants missing.csv", "missing.csv"),
        ("ticket --all --tenants list.csv --config wrong.toml", "parallel"),
        ("ticket --store a --store-url-file b", "--store"),
    ] {
        let err = bench.soticket(arguments).without("SOTICKET_CONTEXT").run().failed(2);
        assert!(err.contains(told), "{arguments}: {err}");
    }
    assert_eq!(bench.emulator.exchanges(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_in_any_output() {
    let bench = Bench::with_tenants(5).await;
    let ran = all(&bench, "-").arg("-vvv").input(csv(5)).run();
    assert!(!ran.err.contains("-secret0000") && !ran.out.contains("-secret0000"), "{}", ran.err);
    assert!(!ran.err.contains(Sample::CLIENT_SECRET));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_begins_no_others_and_tells_what_was_got() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    let bench = Bench::with_tenants(50).await;
    bench.desk.write("list.csv", csv(50));
    let mut run = bench.soticket("ticket --all --tenants list.csv --rate 10 --parallel 1");
    let mut child = run.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let got = 1 + lines.count();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(got < 50 && err.contains(&format!("50 tenants: {got} tickets")), "{got}: {err}");
    assert!(err.contains("not done") && err.contains("error: interrupted"), "{err}");
    assert_eq!(bench.emulator.exchanges(), got as u64, "what was begun was finished");
}
