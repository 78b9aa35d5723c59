//! The whole process `soticket ticket` beside a Node program that does the same: wall time and peak memory.
//!
//! Both ask the same emulator over TLS on loopback, one after the other, in turns, so that a noisy machine is
//! noisy for both.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise"
)]
#![allow(clippy::print_stdout, reason = "figures are its result")]
#![allow(clippy::disallowed_methods, reason = "time is what is measured")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use soticket_emulator::Sample;
use soticket_tests::{LoginService, root, soticket};
use wait4::Wait4 as _;

/// What a user of the chore may name, or a part of it.
const NAME: &str = "process";
const ROUNDS: usize = 30;
const KIB: u64 = 1024;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    if arguments.peek().is_none() || arguments.any(|part| NAME.contains(part.as_str())) {
        measure();
    }
}

fn measure() {
    let service = LoginService::start();
    // Node reads no `RSAKeyValue`.
    let convert = ["key", "convert", "partner.xml", "--to", "pkcs8", "--out", "partner.pem"];
    assert!(soticket().args(convert).current_dir(service.folder()).status().unwrap().success());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(run(our_command(&service)));
        theirs.push(run(node_command(&service)));
    }
    let (ours, theirs) = (Median::of(ours), Median::of(theirs));
    println!("median of {ROUNDS}     wall time    peak memory");
    println!("soticket ticket  {ours}");
    println!("Node and axios   {theirs}");
    println!(
        "ratio               {:6.3}         {:6.3}",
        ours.wall.as_secs_f64() / theirs.wall.as_secs_f64(),
        ours.peak as f64 / theirs.peak as f64
    );
}

struct Median {
    wall: Duration,
    /// In bytes.
    peak: u64,
}

impl Median {
    fn of(runs: Vec<(Duration, u64)>) -> Self {
        let (mut walls, mut peaks): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
        walls.sort_unstable();
        peaks.sort_unstable();
        Self { wall: walls[walls.len() / 2], peak: peaks[peaks.len() / 2] }
    }
}

impl std::fmt::Display for Median {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:7.1} ms  {:9.1} MiB",
            self.wall.as_secs_f64() * 1e3,
            self.peak as f64 / (KIB * KIB) as f64
        )
    }
}

fn our_command(service: &LoginService) -> Command {
    let mut command = soticket();
    service.settings_for(&mut command).arg("ticket");
    command
}

fn node_command(service: &LoginService) -> Command {
    let mut command = Command::new("node");
    let host = service.url().strip_prefix("https://").unwrap();
    command
        .arg(root().join("tests/node/client.js"))
        .arg("--ticket-only")
        .current_dir(service.folder())
        .env("NODE_EXTRA_CA_CERTS", "tls/ca.pem")
        .env("HOST", host)
        .env("CERTIFICATE", "tls/federated-login.pem")
        .env("PRIVATE_KEY", "partner.pem")
        .env("CONTEXT", Sample::CONTEXT)
        .env("CLIENT_SECRET", Sample::CLIENT_SECRET)
        .env("SYSTEM_USER_TOKEN", Sample::SYSTEM_USER_TOKEN);
    command
}

fn run(mut command: Command) -> (Duration, u64) {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let outcome = child.wait4().unwrap();
    let wall = start.elapsed();
    assert!(outcome.status.success(), "{command:?} failed");
    (wall, outcome.rusage.maxrss)
}
