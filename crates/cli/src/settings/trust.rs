//! Whom to trust: the client with its authorities and pinned keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use soticket::{PinnedKeys, PublicKey, SystemUserClient, TokenSigner, reqwest};

use super::Settings;
use crate::failure::{Exit, Failure};

impl Settings {
    /// A client of the environment, with `signer` and every trust setting.
    pub(crate) fn client(&self, signer: Arc<dyn TokenSigner>) -> Result<SystemUserClient, Failure> {
        let mut builder = SystemUserClient::builder(self.environment()?, self.client_secret()?, signer);
        builder = builder.with_transport(self.transport()?);
        for root in self.extra_roots()? {
            builder = builder.with_extra_root(root);
        }
        if let Some(pinned) = self.pinned_keys()? {
            builder = builder.with_pinned_keys(pinned);
        }
        Ok(builder.build()?)
    }

    pub(crate) fn pinned_keys(&self) -> Result<Option<PinnedKeys>, Failure> {
        let said = std::env::var_os("SOTICKET_PINNED_CERTIFICATE").map(PathBuf::from);
        let paths = match (self.args.pinned_certificate.as_slice(), said) {
            ([], Some(path)) => vec![path],
            ([], None) => self.file.pinned_certificates.clone(),
            (flags, _) => flags.to_vec(),
        };
        let mut pinned = None;
        for path in paths {
            let bytes = read(&path, "certificate to pin")?;
            let before: PinnedKeys = pinned.unwrap_or_default();
            pinned = Some(before.and_pem_or_der(&bytes).map_err(|error| unusable(&path, error))?);
        }
        Ok(pinned)
    }

    pub(crate) fn extra_roots(&self) -> Result<Vec<reqwest::Certificate>, Failure> {
        let said =
            self.args.ca_file.clone().or_else(|| std::env::var_os("SOTICKET_CA_FILE").map(PathBuf::from));
        let Some(path) = said.or_else(|| self.file.ca_file.clone()) else {
            return Ok(Vec::new());
        };
        let bytes = read(&path, "authority's certificate")?;
        let roots = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|error| unusable(&path, error))?;
        if roots.is_empty() {
            let message = format!("`{}` holds no certificate in PEM; name the authority's", path.display());
            return Err(Failure::configuration(message));
        }
        Ok(roots)
    }
}

/// A public key in PEM or DER, or that of a certificate.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = read(path, "public key")?;
    let mut keys = soticket::public_key::read_all(&bytes).map_err(|error| unusable(path, error))?;
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        _ => Err(Failure::configuration(format!("`{}` holds several keys; leave one", path.display()))),
    }
}

/// Reads a file that is no secret.
pub(crate) fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        Failure::configuration(format!("the {what} cannot be read from `{}`", path.display()))
            .with_cause(error)
    })
}

/// A file that holds something else than it should.
pub(crate) fn unusable(path: &Path, error: impl std::error::Error + 'static) -> Failure {
    Failure::new(Exit::Configuration, format!("`{}` cannot be used", path.display())).with_cause(error)
}
