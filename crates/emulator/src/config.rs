//! What the emulator serves, from a TOML file or built in code.

mod file;
pub(crate) mod many_tenants;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rsa::pkcs1v15::VerifyingKey;
use rsa::sha2::Sha256;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::faults::FaultRule;
use crate::keys::{KeyError, LoginKey};
use crate::tenant::{Approval, TenantState};

/// A secret: compared in constant time, never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(crate) fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A registered application.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "SuperOffice's words")]
pub struct Application {
    pub name: String,
    pub client_secret: Secret,
    pub(crate) verifying_key: VerifyingKey<Sha256>,
}

/// A tenant's approval of an application.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "SuperOffice's words")]
pub struct ApprovalConfig {
    pub application: String,
    pub system_user_token: Secret,
    #[serde(default)]
    pub approval: Approval,
}

/// A tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "SuperOffice's words")]
pub struct TenantConfig {
    pub context: String,
    pub serial: String,
    #[serde(default)]
    pub state: TenantState,
    #[serde(default)]
    pub approvals: Vec<ApprovalConfig>,
    /// Identity claims by their short names, over the built-in ones.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
}

/// How long things last.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// A JWT; 5 minutes unless told otherwise.
    pub jwt: Duration,
    /// A ticket after its last use; 6 hours.
    pub ticket: Duration,
    /// How far a time stamp may be off, both ways; 5 minutes.
    pub timestamp_window: Duration,
    /// A tenant's state; 10 minutes.
    pub state: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self { jwt: 5 * MINUTE, ticket: 360 * MINUTE, timestamp_window: 5 * MINUTE, state: 10 * MINUTE }
    }
}

/// Everything that the emulator serves.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The applications, by their client secrets.
    pub applications: Vec<Application>,
    /// The tenants, by their context identifiers.
    pub tenants: Vec<TenantConfig>,
    /// How long things last.
    pub lifetimes: Lifetimes,
    /// The host in front of which tenants' states claim to be, e.g. `sod`; part of `Version`.
    pub environment: Option<String>,
    /// Names that the TLS certificate is good for beside the built-in ones.
    pub tls_names: Vec<String>,
    /// The faults in wait at the start.
    pub faults: Vec<FaultRule>,
    pub(crate) login_key: Option<LoginKey>,
}

/// Why a configuration was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file could not be read or written.
    #[error("cannot use the file {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The TOML says what is not understood; the text names the line.
    #[error("the configuration is not valid: {0}")]
    Toml(String),
    /// A key is not usable.
    #[error("{what}: {reason}")]
    Key {
        /// Which key.
        what: String,
        /// Why.
        reason: String,
    },
    /// Something contradicts something else.
    #[error("{0}")]
    Inconsistent(String),
}

impl Config {
    /// Reads a TOML file; the files that it names are looked for beside it.
    ///
    /// # Errors
    /// When a file cannot be read, or says what is not understood.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&file::read(path)?, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads TOML; the files that it names are looked for in `folder`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_toml(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        file::parse(text, folder)?.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let mut names = HashSet::new();
        for tenant in &self.tenants {
            if !names.insert(tenant.context.to_ascii_lowercase()) {
                return Err(ConfigError::Inconsistent(format!("the tenant {} comes twice", tenant.context)));
            }
            let unknown = tenant.approvals.iter().find(|approval| {
                self.applications.iter().all(|application| application.name != approval.application)
            });
            if let Some(approval) = unknown {
                return Err(ConfigError::Inconsistent(format!(
                    "the tenant {} approves the application {:?}, which is not configured",
                    tenant.context, approval.application,
                )));
            }
        }
        Ok(self)
    }
}

pub(crate) fn key_error(what: String, error: &KeyError) -> ConfigError {
    ConfigError::Key { what, reason: error.to_string() }
}
