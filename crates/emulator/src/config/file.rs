//! The TOML form of a configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rsa::pkcs1v15::VerifyingKey;
use serde::Deserialize;

use super::many_tenants::ManyTenants;
use super::{Application, Config, ConfigError, Lifetimes, Secret, TenantConfig, key_error};
use crate::faults::{Fault, FaultRule, Scope, Times};
use crate::keys::{self, LoginKey};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    tls_names: Vec<String>,
    #[serde(default)]
    federated_login_key_file: Option<PathBuf>,
    #[serde(default)]
    lifetimes: FileLifetimes,
    applications: Vec<FileApplication>,
    #[serde(default)]
    tenants: Vec<TenantConfig>,
    #[serde(default)]
    many_tenants: Option<ManyTenants>,
    #[serde(default)]
    faults: Vec<FileFault>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FileLifetimes {
    jwt_seconds: Option<u64>,
    ticket_seconds: Option<u64>,
    timestamp_window_seconds: Option<u64>,
    state_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileApplication {
    name: String,
    client_secret: Secret,
    public_key: Option<String>,
    public_key_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFault {
    #[serde(default)]
    scope: Scope,
    times: Option<u32>,
    context: Option<String>,
    fault: Fault,
}

/// Reads TOML; the files that it names are looked for in `folder`.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
    let applications = file.applications.into_iter().map(|app| application(app, folder));
    let login_key = file.federated_login_key_file.map(|path| login_key(&folder.join(path))).transpose()?;
    let config = Config {
        applications: applications.collect::<Result<_, _>>()?,
        tenants: file.tenants,
        lifetimes: file.lifetimes.into(),
        environment: file.environment,
        tls_names: file.tls_names,
        faults: file.faults.into_iter().map(FaultRule::from).collect(),
        login_key,
    };
    Ok(match file.many_tenants {
        Some(many) => config.with_many_tenants(&many),
        None => config,
    })
}

/// The line and the reason, without the source text: it may hold secrets.
fn toml_error(text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    ConfigError::Toml(format!("line {line}: {}", error.message()))
}

pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.into(), source })
}

fn login_key(path: &Path) -> Result<LoginKey, ConfigError> {
    LoginKey::from_pem(&read(path)?).map_err(|error| key_error(path.display().to_string(), &error))
}

fn application(file: FileApplication, folder: &Path) -> Result<Application, ConfigError> {
    let what = format!("the public key of the application {:?}", file.name);
    let text = match (file.public_key, file.public_key_file) {
        (Some(text), None) => text,
        (None, Some(path)) => read(&folder.join(path))?,
        _ => {
            return Err(ConfigError::Inconsistent(format!("{what}: give `public_key` or `public_key_file`")));
        }
    };
    let public_key = keys::public_key(&text).map_err(|error| key_error(what, &error))?;
    let verifying_key = VerifyingKey::new(public_key);
    Ok(Application { name: file.name, client_secret: file.client_secret, verifying_key })
}

impl From<FileLifetimes> for Lifetimes {
    fn from(file: FileLifetimes) -> Self {
        let default = Self::default();
        let or = |seconds: Option<u64>, default| seconds.map_or(default, Duration::from_secs);
        Self {
            jwt: or(file.jwt_seconds, default.jwt),
            ticket: or(file.ticket_seconds, default.ticket),
            timestamp_window: or(file.timestamp_window_seconds, default.timestamp_window),
            state: or(file.state_seconds, default.state),
        }
    }
}

impl From<FileFault> for FaultRule {
    fn from(file: FileFault) -> Self {
        let times = file.times.map_or(Times::UntilCleared, Times::Count);
        Self { scope: file.scope, context: file.context, times, fault: file.fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_s_example_parses() {
        let page = include_str!("../../../../docs/emulator.md");
        let example = page.split("```toml").nth(1).unwrap().split("```").next().unwrap();
        let error = Config::from_toml(example, Path::new("/nonexistent")).unwrap_err();
        assert!(matches!(error, ConfigError::File { .. }), "only the key file is missing: {error}");
    }

    #[test]
    fn an_unknown_field_is_named_with_its_line_and_no_secret() {
        let text = "applications = []\ntenants = []\nclient_secret = \"hush\"\n";
        let error = Config::from_toml(text, Path::new(".")).unwrap_err().to_string();
        assert!(
            error.contains("line 3") && error.contains("client_secret") && !error.contains("hush"),
            "{error}"
        );
    }
}
