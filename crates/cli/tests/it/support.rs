//! A folder of its own for each test, the program run in it, and the login service for it to talk to.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use soticket_emulator::{Config, Emulator, Fault, Sample, Scope, Secret, Times, Tls};
use tempfile::TempDir;

/// The path of the program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_soticket");

/// The sample application's key, in the folder of a [`Bench`].
pub(crate) const KEY_FILE: &str = "partner.xml";

/// A folder that is also the program's home, so that nothing of the developer's own settings is read.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file that only its owner reads.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        #[cfg(unix)]
        set_mode(&path, 0o600);
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program with `arguments`, separated by white space, in an environment that says nothing.
    pub(crate) fn soticket(&self, arguments: &str) -> Run {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments.split_whitespace())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path())
            .current_dir(self.0.path());
        Run { command, input: Vec::new() }
    }
}

/// A run of the program that is being prepared.
pub(crate) struct Run {
    pub(crate) command: Command,
    input: Vec<u8>,
}

impl Run {
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    pub(crate) fn run(mut self) -> Ran {
        let streams = (Stdio::piped(), Stdio::piped(), Stdio::piped());
        let mut child = self.command.stdin(streams.0).stdout(streams.1).stderr(streams.2).spawn().unwrap();
        // A program that wants no input may have ended before it is written.
        let _ = child.stdin.take().unwrap().write_all(&self.input);
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().expect("the program was ended by a signal"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Asserts success, and gives the standard output.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.out
    }

    /// Asserts success with one JSON value on standard output.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let out = self.done();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}"))
    }

    /// Asserts a failure with this exit code and without a result, and gives the standard error.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:#?}");
        assert_eq!(self.out, "", "a failure printed a result: {self:#?}");
        assert!(self.err.contains("error: "), "{self:#?}");
        self.err
    }
}

/// The sample application's login service, and a desk with its key.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) desk: Desk,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(Tls::None).await
    }

    pub(crate) async fn start_with(tls: Tls) -> Self {
        let desk = Desk::new();
        let key_file = desk.write(KEY_FILE, partner_key_xml());
        Self::serve(desk, Config::sample(key_file).unwrap(), tls).await
    }

    /// As many tenants as that, [`Bench::context`] and [`Bench::token`] of each, beside the sample's own.
    pub(crate) async fn with_tenants(tenants: usize) -> Self {
        let desk = Desk::new();
        let mut config = Config::sample(desk.write(KEY_FILE, partner_key_xml())).unwrap();
        let sample = config.tenants[0].clone();
        config.tenants.extend((0..tenants).map(|number| {
            let mut tenant = sample.clone();
            tenant.context = Self::context(number);
            tenant.approvals[0].system_user_token = Secret::new(Self::token(number));
            tenant
        }));
        Self::serve(desk, config, Tls::None).await
    }

    pub(crate) fn context(number: usize) -> String {
        format!("Many{number:05}")
    }

    pub(crate) fn token(number: usize) -> String {
        format!("{}-secret{number:05}", Sample::APPLICATION)
    }

    async fn serve(desk: Desk, config: Config, tls: Tls) -> Self {
        let emulator = Emulator::builder().with_config(config).with_tls(tls).start().await.unwrap();
        Self { emulator, desk }
    }

    /// The program with `arguments`, and the environment that the sample application needs.
    pub(crate) fn soticket(&self, arguments: &str) -> Run {
        self.desk
            .soticket(arguments)
            .env("SOTICKET_ENVIRONMENT", self.emulator.url())
            .env("SOTICKET_CONTEXT", Sample::CONTEXT)
            .env("SOTICKET_SIGNER", KEY_FILE)
            .env("SOTICKET_CLIENT_SECRET", Sample::CLIENT_SECRET)
            .env("SOTICKET_SYSTEM_USER_TOKEN", Sample::SYSTEM_USER_TOKEN)
    }

    /// The program with `arguments`, told to keep tickets in a folder; its key is made when it is not there.
    #[cfg(feature = "file-store")]
    pub(crate) fn keeping(&self, arguments: &str) -> Run {
        if !self.desk.path("store.key").exists() {
            self.desk.soticket("store new-key --out store.key").run().done();
        }
        self.soticket(arguments).args(["--store", "tickets", "--store-key-file", "store.key"])
    }

    /// Spoils the next exchange.
    pub(crate) fn spoil(&self, fault: Fault) {
        self.emulator.faults().queue(Scope::Exchange, Times::ONCE, fault);
    }
}

/// The sample application's key, made once for all tests, since that takes a second.
pub(crate) fn partner_key_xml() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let desk = Desk::new();
        Config::sample(desk.path(KEY_FILE)).unwrap();
        desk.read(KEY_FILE)
    })
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs OpenSSL, and gives what it prints.
#[track_caller]
pub(crate) fn openssl(arguments: &str, folder: &Desk) -> String {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder.path(""))
        .output()
        .expect("the tests need OpenSSL's command");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
