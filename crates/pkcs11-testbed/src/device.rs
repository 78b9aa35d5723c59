//! The real modules, and how a throw-away token of each is made.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bed::{DEVICE_VARIABLE, FOLDER_VARIABLE};
use crate::tools::run;

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// SoftHSM 2.
    SoftHsm,
    /// kryoptic, which locks PINs and knows keys that want the PIN with each use.
    Kryoptic,
    /// NSS's softokn, which is slow and takes an argument to start.
    Nss,
    /// SoftHSM in another process, behind p11-kit's remoting.
    P11Kit,
}

/// A token to make for one test.
#[derive(Debug, Clone)]
pub struct Setup {
    device: Device,
    behind_faults: Faulty,
    environment: Vec<(String, String)>,
    softhsm_settings: String,
    limit: Duration,
    output: Output,
}

/// Where the output of the test's process goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Into the failure, if there is one.
    Kept,
    /// To where this process's own goes.
    Shown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Faulty {
    No,
    Yes,
}

impl Device {
    /// The device as it is.
    #[must_use]
    pub fn setup(self) -> Setup {
        Setup {
            device: self,
            behind_faults: Faulty::No,
            environment: Vec::new(),
            softhsm_settings: String::new(),
            limit: LIMIT,
            output: Output::Kept,
        }
    }

    /// The device behind the module that fails on demand.
    #[must_use]
    pub fn faulty(self) -> Setup {
        Setup { behind_faults: Faulty::Yes, ..self.setup() }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SoftHsm => "softhsm",
            Self::Kryoptic => "kryoptic",
            Self::Nss => "nss",
            Self::P11Kit => "p11-kit",
        }
    }

    pub(crate) fn from_name(name: &str) -> Self {
        let all = [Self::SoftHsm, Self::Kryoptic, Self::Nss, Self::P11Kit];
        all.into_iter().find(|device| device.name() == name).unwrap()
    }

    pub(crate) fn token_label(self) -> &'static str {
        match self {
            Self::Nss => "NSS Certificate DB",
            _ => "lab",
        }
    }

    /// Kryoptic wants eight characters.
    pub(crate) fn pin(self) -> &'static str {
        match self {
            Self::Kryoptic => "12345678",
            _ => "1234",
        }
    }

    /// The real module's file.
    pub(crate) fn module(self) -> PathBuf {
        match self {
            Self::SoftHsm => first_of(&["softhsm/libsofthsm2.so", "pkcs11/libsofthsm2.so"]),
            Self::Nss => first_of(&["libsoftokn3.so", "nss/libsoftokn3.so"]),
            Self::P11Kit => first_of(&["pkcs11/p11-kit-client.so"]),
            Self::Kryoptic => std::env::var_os("SOTICKET_TEST_KRYOPTIC")
                .map(PathBuf::from)
                .expect("kryoptic is missing: run `cargo xtask softhsm-test`, which builds it"),
        }
    }
}

impl Setup {
    /// Adds to the environment of the test's process.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a line to SoftHSM's configuration.
    #[must_use]
    pub fn with_softhsm_setting(mut self, line: &str) -> Self {
        self.softhsm_settings.push_str(line);
        self.softhsm_settings.push('\n');
        self
    }

    /// How long the test may take.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Shows the output as it comes, for benchmarks.
    #[must_use]
    pub fn with_output_shown(mut self) -> Self {
        self.output = Output::Shown;
        self
    }

    pub(crate) fn output(&self) -> Output {
        self.output
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Makes the token in `folder`, and gives the environment that its users need.
    #[must_use]
    pub fn prepare(&self, folder: &Path) -> Vec<(String, OsString)> {
        let mut environment = match self.device {
            Device::SoftHsm => self.softhsm(folder),
            Device::P11Kit => {
                let mut environment = self.softhsm(folder);
                let address = format!("unix:path={}", folder.join("socket").display());
                environment.push(("P11_KIT_SERVER_ADDRESS".into(), address.into()));
                environment
            }
            Device::Kryoptic => kryoptic(folder),
            Device::Nss => nss(folder),
        };
        if self.behind_faults == Faulty::Yes {
            environment.push(("P11FAULT_MODULE".into(), self.device.module().into()));
            environment.push(("P11FAULT_CTL".into(), folder.join("faults").into()));
            environment.push(("P11FAULT_LOG".into(), folder.join("calls.log").into()));
        }
        environment.extend(self.environment.iter().map(|(name, value)| (name.clone(), value.into())));
        environment.push((FOLDER_VARIABLE.into(), folder.into()));
        environment.push((DEVICE_VARIABLE.into(), self.device.name().into()));
        environment
    }

    fn softhsm(&self, folder: &Path) -> Vec<(String, OsString)> {
        let tokens = folder.join("tokens");
        fs::create_dir(&tokens).unwrap();
        let settings = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n{}",
            tokens.display(),
            self.softhsm_settings
        );
        let file = folder.join("softhsm2.conf");
        fs::write(&file, settings).unwrap();
        let environment = vec![("SOFTHSM2_CONF".to_owned(), OsString::from(file))];
        let pin = self.device.pin();
        let arguments = ["--init-token", "--free", "--label", "lab", "--so-pin", SO_PIN, "--pin", pin];
        run("softhsm2-util", arguments, &environment);
        environment
    }
}

fn kryoptic(folder: &Path) -> Vec<(String, OsString)> {
    let file = folder.join("kryoptic.conf");
    let database = folder.join("token.sql");
    fs::write(
        &file,
        format!("[[slots]]\nslot = 42\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", database.display()),
    )
    .unwrap();
    let environment = vec![("KRYOPTIC_CONF".to_owned(), OsString::from(file))];
    let module = Device::Kryoptic.module();
    let pin = Device::Kryoptic.pin();
    let module = module.to_str().unwrap();
    let token = ["--module", module, "--slot", "42", "--so-pin", SO_PIN];
    let make = token.into_iter().chain(["--init-token", "--label", "lab"]);
    run("pkcs11-tool", make, &environment);
    let set_pin = token.into_iter().chain(["--login", "--login-type", "so", "--init-pin", "--pin", pin]);
    run("pkcs11-tool", set_pin, &environment);
    environment
}

fn nss(folder: &Path) -> Vec<(String, OsString)> {
    let database = folder.join("db");
    fs::create_dir(&database).unwrap();
    let password = folder.join("password");
    fs::write(&password, Device::Nss.pin()).unwrap();
    // Keys are then derived a thousand times faster.
    let environment = vec![("NSS_MAX_MP_PBE_ITERATION_COUNT".to_owned(), OsString::from("1"))];
    let database = format!("sql:{}", database.display());
    run("certutil", ["-N", "-d", &database, "-f", password.to_str().unwrap()], &environment);
    environment
}

/// A library of this machine's, by its path in one of the usual folders.
fn first_of(names: &[&str]) -> PathBuf {
    let folders = [
        "/usr/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/local/lib",
    ];
    let mut paths =
        folders.iter().flat_map(|folder| names.iter().map(move |name| Path::new(folder).join(name)));
    paths
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{names:?} is not installed: run `cargo xtask softhsm-test`"))
}

pub(crate) const SO_PIN: &str = "12345678";
const LIMIT: Duration = Duration::from_secs(120);
