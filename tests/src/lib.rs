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
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use soticket::pem::{KeySource, KeyType, PemSigner, PrivateKey};
use soticket::reqwest::Certificate;
use soticket::{PublicKey, SystemUserClient, SystemUserClientBuilder, Tenant};
use soticket_emulator::{ManyTenants, Sample};
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

/// The program's own emulator as a process of its own; stopped on drop.
#[derive(Debug)]
pub struct LoginService {
    process: Child,
    url: String,
    folder: TempDir,
}

/// What a [`LoginService`] speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Wire {
    Plain,
    Tls,
}

impl LoginService {
    /// The name of the application that many tenants have approved, and its client secret.
    pub const APPLICATION: &str = "My App";
    /// Its client secret.
    pub const CLIENT_SECRET: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

    /// Starts it over TLS, with the sample application, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start() -> Self {
        Self::run(tempfile::tempdir().unwrap(), Wire::Tls, &["--sample-key", "partner.xml"])
    }

    /// Starts it with tenants from [`ManyTenants::DEFAULT_FIRST`] on that have approved [`Self::APPLICATION`], whose
    /// tickets live that long, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn with_many_tenants(count: u32, ticket_lifetime: Duration, wire: Wire) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate(KeyType::Rsa2048).unwrap();
        std::fs::write(folder.path().join("partner.xml"), key.to_xml().unwrap().expose()).unwrap();
        Self::run_with_many_tenants(folder, key.public_key(), count, ticket_lifetime, wire)
    }

    /// As [`with_many_tenants`](Self::with_many_tenants), over plain HTTP, for a partner key that is somewhere else.
    ///
    /// # Panics
    /// When it does not listen.
    #[must_use]
    pub fn for_key_elsewhere(key: &PublicKey, count: u32, ticket_lifetime: Duration) -> Self {
        Self::run_with_many_tenants(tempfile::tempdir().unwrap(), key, count, ticket_lifetime, Wire::Plain)
    }

    fn run_with_many_tenants(
        folder: TempDir,
        key: &PublicKey,
        count: u32,
        ticket_lifetime: Duration,
        wire: Wire,
    ) -> Self {
        std::fs::write(folder.path().join("public.pem"), key.to_pem()).unwrap();
        let config = format!(
            "tenants = []\n\n[lifetimes]\nticket_seconds = {}\n\n[[applications]]\nname = \"{}\"\nclient_secret = \"{}\"\n\
             public_key_file = \"public.pem\"\n\n[many_tenants]\napplication = \"{}\"\ncount = {count}\n",
            ticket_lifetime.as_secs(),
            Self::APPLICATION,
            Self::CLIENT_SECRET,
            Self::APPLICATION,
        );
        std::fs::write(folder.path().join("emulator.toml"), config).unwrap();
        Self::run(folder, wire, &["--config", "emulator.toml"])
    }

    fn run(folder: TempDir, wire: Wire, arguments: &[&str]) -> Self {
        let mut command = soticket();
        command.args(["emulator", "--listen", "127.0.0.1:0"]).args(arguments);
        if wire == Wire::Tls {
            command.args(["--tls-dir", "tls"]);
        }
        let mut process =
            command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").expect("one line, and this one").to_owned();
        Self { process, url, folder }
    }

    /// The tenants that [`with_many_tenants`](Self::with_many_tenants) starts it with.
    pub fn many_tenants(count: u32) -> impl Iterator<Item = Tenant> {
        let names: Vec<_> = ManyTenants::new(Self::APPLICATION, count).names().collect();
        names
            .into_iter()
            .map(|(context, token)| Tenant::new(context.parse().unwrap(), token.parse().unwrap()))
    }

    /// A client of [`Self::APPLICATION`], to be built with what a test needs.
    ///
    /// # Panics
    /// When the service was started without it.
    #[must_use]
    pub fn client_builder(&self) -> SystemUserClientBuilder {
        client_builder(self.folder(), &self.url)
    }

    /// What came of all requests so far.
    ///
    /// # Panics
    /// When the service does not tell.
    pub async fn statistics(&self) -> Value {
        let answer = soticket::reqwest::get(format!("{}/emulator/statistics", self.url)).await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Its process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
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

/// A client of [`LoginService::APPLICATION`] for a service at `url` that was started in `folder`.
///
/// # Panics
/// When the folder is none of that kind.
#[must_use]
pub fn client_builder(folder: &Path, url: &str) -> SystemUserClientBuilder {
    let signer = PemSigner::builder(KeySource::file(folder.join("partner.xml"))).build().unwrap();
    let secret = LoginService::CLIENT_SECRET.parse().unwrap();
    let builder = SystemUserClient::builder(url.parse().unwrap(), secret, Arc::new(signer));
    match std::fs::read(folder.join("tls/ca.pem")) {
        Ok(root) => builder.with_extra_root(Certificate::from_pem(&root).unwrap()),
        Err(_) => builder,
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
