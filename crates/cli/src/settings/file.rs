//! The settings file `soticket.toml`: everything but secrets, which it names the files of.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::args::secrets::has_password;
use crate::failure::Failure;

/// What the file says; paths are already meant from where it lies.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SettingsFile {
    #[serde(skip)]
    path: Option<PathBuf>,
    pub(super) environment: Option<String>,
    pub(super) context: Option<String>,
    pub(super) signer: Option<String>,
    pub(super) transport: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) pinned_certificates: Vec<PathBuf>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) system_user_token_file: Option<PathBuf>,
    pub(super) key_passphrase_file: Option<PathBuf>,
    pub(super) pkcs11_pin_file: Option<PathBuf>,
    pub(super) signer_public_key: Option<PathBuf>,
    #[serde(default)]
    pub(super) require_non_extractable: bool,
    /// A folder or a URL, as it was written.
    pub(super) store: Option<String>,
    pub(super) store_url_file: Option<PathBuf>,
    pub(super) store_key_file: Option<PathBuf>,
    #[cfg_attr(
        not(any(feature = "file-store", feature = "redis")),
        expect(dead_code, reason = "there is no store")
    )]
    pub(super) store_key_keyring: Option<String>,
    pub(super) store_ca_file: Option<PathBuf>,
    #[serde(default)]
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "read by who uses Redis"))]
    pub(super) store_plain_network: bool,
    pub(super) parallel: Option<u16>,
    pub(super) rate: Option<u32>,
    #[serde(default)]
    pub(super) tenants: Vec<ListedTenant>,
    // Secrets themselves are refused by name, not as something unknown.
    client_secret: Option<IgnoredAny>,
    system_user_token: Option<IgnoredAny>,
    key_passphrase: Option<IgnoredAny>,
    pkcs11_pin: Option<IgnoredAny>,
    store_key: Option<IgnoredAny>,
}

/// A tenant for `--all`, or to be named by its context identifier.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ListedTenant {
    pub(super) context: String,
    pub(super) system_user_token_file: PathBuf,
}

impl SettingsFile {
    /// Reads `given`, or the first file of those that are looked for; with none, nothing is set.
    pub(super) fn find(given: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = given {
            return Self::read(path);
        }
        let here = PathBuf::from(FILE_NAME);
        let of_the_user = etcetera::choose_base_strategy().ok();
        let of_the_user = of_the_user.map(|folders| folders.config_dir().join("soticket").join(FILE_NAME));
        match [Some(here), of_the_user].into_iter().flatten().find(|path| path.is_file()) {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("the settings file `{}` cannot be read", path.display());
            Failure::configuration(message).with_cause(error)
        })?;
        let mut file: Self = toml::from_str(&text).map_err(|error| not_understood(path, &text, &error))?;
        file.refuse_secrets(path)?;
        file.path = Some(path.to_owned());
        file.resolve_all();
        tracing::info!(path = %path.display(), "read the settings file");
        Ok(file)
    }

    fn refuse_secrets(&self, path: &Path) -> Result<(), Failure> {
        let inline = [
            ("client-secret", &self.client_secret),
            ("system-user-token", &self.system_user_token),
            ("key-passphrase", &self.key_passphrase),
            ("pkcs11-pin", &self.pkcs11_pin),
            ("store-key", &self.store_key),
        ];
        match inline.into_iter().find(|(_, secret)| secret.is_some()) {
            Some((name, _)) => Err(Failure::configuration(format!(
                "`{}` holds a `{name}`; settings files hold no secrets: put it into a file of its own and name \
                 that by `{name}-file`",
                path.display()
            ))),
            None if self.store.as_deref().is_some_and(has_password) => Err(Failure::configuration(format!(
                "`store` in `{}` holds a password; settings files hold no secrets: put the URL into a file of its \
                 own and name that by `store-url-file`, or set SOTICKET_STORE",
                path.display()
            ))),
            None => Ok(()),
        }
    }

    fn resolve_all(&mut self) {
        let folder = self.folder().to_owned();
        let files = [
            &mut self.ca_file,
            &mut self.client_secret_file,
            &mut self.system_user_token_file,
            &mut self.key_passphrase_file,
            &mut self.pkcs11_pin_file,
            &mut self.store_url_file,
            &mut self.store_key_file,
            &mut self.store_ca_file,
            &mut self.signer_public_key,
        ];
        let tokens = self.tenants.iter_mut().map(|tenant| &mut tenant.system_user_token_file);
        for path in files.into_iter().flatten().chain(&mut self.pinned_certificates).chain(tokens) {
            *path = folder.join(&*path);
        }
    }

    /// A path as the file means it.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.folder().join(path)
    }

    fn folder(&self) -> &Path {
        self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    /// Its path, for messages; its usual name when there is none.
    pub(super) fn name(&self) -> String {
        let path = self.path.as_deref().unwrap_or(Path::new(FILE_NAME));
        format!("`{}`", path.display())
    }
}

/// Where and why, without the line itself, which may hold a secret.
fn not_understood(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let what = match error.message().rsplit_once(", expected ") {
        // What stands there is not repeated either: it may be a secret under a wrong name.
        Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
        _ => error.message().to_owned(),
    };
    Failure::configuration(format!("`{}`, line {line}: {what}", path.display()))
}

const FILE_NAME: &str = "soticket.toml";
