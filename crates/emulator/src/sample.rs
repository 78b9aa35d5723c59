//! The sample application: what the emulator serves when nothing is configured.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use rsa::pkcs1v15::VerifyingKey;

use crate::config::{Application, ApprovalConfig, Config, ConfigError, Secret, TenantConfig, key_error};
use crate::keys;
use crate::tenant::{Approval, TenantState};

/// The names of the sample, the same in each run. Only its key differs.
#[derive(Debug)]
pub struct Sample;

impl Sample {
    /// The application.
    pub const APPLICATION: &str = "My Sample App v1.0";
    /// Its client secret.
    pub const CLIENT_SECRET: &str = "5f2b7c1e9d044c5f8a3b6e7d90c1f2a4";
    /// The tenant.
    pub const CONTEXT: &str = "Cust12345";
    /// Its system user token: with spaces and a dot, as an application's name may have.
    pub const SYSTEM_USER_TOKEN: &str = "My Sample App v1.0-pzqc70604i";
    /// The tenant's serial number.
    pub const SERIAL: &str = "1234567890";
}

impl Config {
    /// The sample application, whose private key is at `key_file`: read when the file exists,
    /// else made and written there as `RSAKeyValue` XML, for its owner only. Blocks for a second.
    ///
    /// # Errors
    /// When the file cannot be written, or holds another thing than such a key.
    pub fn sample(key_file: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = key_file.into();
        let named = || path.display().to_string();
        let xml = if path.exists() {
            std::fs::read_to_string(&path)
                .map_err(|source| ConfigError::File { path: path.clone(), source })?
        } else {
            let xml =
                keys::generate().and_then(|key| keys::to_xml(&key)).map_err(|e| key_error(named(), &e))?;
            write_private(&path, &xml).map_err(|source| ConfigError::File { path: path.clone(), source })?;
            xml
        };
        let key = keys::private_key_from_xml(&xml).map_err(|error| key_error(named(), &error))?;
        Ok(sample(key.to_public_key()))
    }
}

fn sample(public_key: rsa::PublicKey) -> Config {
    Config {
        applications: vec![Application {
            name: Sample::APPLICATION.into(),
            client_secret: Secret::new(Sample::CLIENT_SECRET),
            verifying_key: VerifyingKey::new(public_key),
        }],
        tenants: vec![TenantConfig {
            context: Sample::CONTEXT.into(),
            serial: Sample::SERIAL.into(),
            state: TenantState::Running,
            approvals: vec![ApprovalConfig {
                application: Sample::APPLICATION.into(),
                system_user_token: Secret::new(Sample::SYSTEM_USER_TOKEN),
                approval: Approval::Approved,
            }],
            claims: std::collections::BTreeMap::new(),
        }],
        ..Config::default()
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
