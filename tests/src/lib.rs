//! What the tests and benchmarks that cross crates share: the command line as a program, and an emulator to ask.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use soticket_emulator::Sample;
use tempfile::TempDir;

/// The root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The program `soticket`: what `SOTICKET_BINARY` names, else built once from this checkout.
///
/// Cargo tells a package's tests where its own programs are, and not where another's are.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| std::env::var_os("SOTICKET_BINARY").map_or_else(build_program, PathBuf::from))
}

fn build_program() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "soticket-cli", "--all-features", "--message-format=json"]);
    let output = cargo.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let executable = messages.lines().find_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    });
    executable.expect("cargo names the program that it built").into()
}

/// A command that runs [`program`] without settings of the machine that it runs on.
#[must_use]
pub fn soticket() -> Command {
    without_settings(Command::new(program()))
}

/// A shell that finds [`program`] under its name, without settings of the machine that it runs on.
#[must_use]
pub fn shell() -> Command {
    let mut command = without_settings(Command::new("sh"));
    let folder = program().parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path)));
    command.env("PATH", path.unwrap());
    command
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SOTICKET_") {
            command.env_remove(name);
        }
    }
    command
}

/// The program's own emulator as a process of its own, over TLS, with the sample application; stopped on drop.
#[derive(Debug)]
pub struct LoginService {
    process: Child,
    url: String,
    folder: TempDir,
}

impl LoginService {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = soticket();
        command.args([
            "emulator",
            "--listen",
            "127.0.0.1:0",
            "--tls-dir",
            "tls",
            "--sample-key",
            "partner.xml",
        ]);
        let mut process =
            command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").expect("one line, and this one").to_owned();
        Self { process, url, folder }
    }

    /// The folder that holds `partner.xml`, `tls/ca.pem` and `tls/federated-login.pem`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The environment that `soticket` is asked to use.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets `command`, a `soticket`, find the service and everything that it needs for a ticket.
    pub fn settings_for<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(self.folder())
            .env("SOTICKET_ENVIRONMENT", &self.url)
            .env("SOTICKET_CONTEXT", Sample::CONTEXT)
            .env("SOTICKET_SIGNER", "partner.xml")
            .env("SOTICKET_CA_FILE", "tls/ca.pem")
            .env("SOTICKET_CLIENT_SECRET", Sample::CLIENT_SECRET)
            .env("SOTICKET_SYSTEM_USER_TOKEN", Sample::SYSTEM_USER_TOKEN)
    }
}

impl Drop for LoginService {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The middle one of the values, of which there is at least one.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
