//! What opening a key may need beside its URI, and the backends that it is handed to.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use soticket_core::{PublicKey, SecretText, SignerError, TokenSigner};

/// What opening a key may need beside its URI. What a backend has no use for, it ignores.
#[derive(Debug, Default)]
pub struct OpenSignerOptions {
    passphrase: Option<Ask>,
    pin: Option<Ask>,
    public_key: Option<PublicKey>,
    protection: Protection,
    #[cfg(feature = "pkcs11")]
    pin_tries: soticket_signer_pkcs11::PinTries,
}

/// Asked at most once, and only if it is needed.
#[cfg_attr(
    not(any(feature = "pem", feature = "pkcs11")),
    expect(dead_code, reason = "no other backend asks for secrets")
)]
struct Ask(Box<dyn FnOnce() -> Result<SecretText, SignerError> + Send>);

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask")
    }
}

/// Which keys are good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Protection {
    #[default]
    Any,
    NonExtractable,
}

impl OpenSignerOptions {
    /// Nothing but the URI.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the passphrase of an encrypted key file comes from; asked at most once, and only if it is needed.
    #[must_use]
    pub fn with_passphrase(
        mut self,
        ask: impl FnOnce() -> Result<SecretText, SignerError> + Send + 'static,
    ) -> Self {
        self.passphrase = Some(Ask(Box::new(ask)));
        self
    }

    /// Where the PIN of a PKCS#11 token comes from; asked at most once, only if the token wants a login, and only
    /// if the URI does not say where the PIN is.
    #[must_use]
    pub fn with_pin(
        mut self,
        ask: impl FnOnce() -> Result<SecretText, SignerError> + Send + 'static,
    ) -> Self {
        self.pin = Some(Ask(Box::new(ask)));
        self
    }

    /// The public half of a key, for a PKCS#11 token that keeps none.
    #[must_use]
    pub fn with_public_key(mut self, key: PublicKey) -> Self {
        self.public_key = Some(key);
        self
    }

    /// Refuses a key that can leave its place, as every key file can.
    #[must_use]
    pub fn require_non_extractable(mut self) -> Self {
        self.protection = Protection::NonExtractable;
        self
    }

    /// Whether a PIN is tried though one more wrong one would lock the PKCS#11 token.
    #[cfg(feature = "pkcs11")]
    #[must_use]
    pub fn with_pin_tries(mut self, tries: soticket_signer_pkcs11::PinTries) -> Self {
        self.pin_tries = tries;
        self
    }

    #[cfg(feature = "pem")]
    pub(crate) fn open_file(self, path: &Path) -> Result<Arc<dyn TokenSigner>, SignerError> {
        use soticket_core::SignerErrorKind;
        use soticket_signer_pem::{KeySource, Passphrase, PemSigner};
        if self.protection == Protection::NonExtractable {
            let message = format!(
                "`{}` is a key file, which anybody who reads it can copy, and a key that cannot leave its place is \
                 required; keep the key in a token",
                path.display()
            );
            return Err(SignerError::new(SignerErrorKind::Key, message));
        }
        let mut builder = PemSigner::builder(KeySource::file(path));
        if let Some(Ask(ask)) = self.passphrase {
            builder = builder.with_passphrase(Passphrase::callback(ask));
        }
        Ok(Arc::new(builder.build()?))
    }

    #[cfg(not(feature = "pem"))]
    #[expect(clippy::unused_self, reason = "with the backend, the options count")]
    pub(crate) fn open_file(self, path: &Path) -> Result<Arc<dyn TokenSigner>, SignerError> {
        let message = format!(
            "`{}` names a key file, for which this program was built without a backend; enable the cargo feature `pem`",
            path.display()
        );
        Err(SignerError::new(soticket_core::SignerErrorKind::Configuration, message))
    }

    #[cfg(feature = "pkcs11")]
    pub(crate) async fn open_pkcs11(
        self,
        uri: &soticket_signer_pkcs11::Pkcs11Uri,
    ) -> Result<Arc<dyn TokenSigner>, SignerError> {
        use soticket_signer_pkcs11::{Pin, Pkcs11Signer};
        let mut builder = Pkcs11Signer::builder(uri.clone()).with_pin_tries(self.pin_tries);
        if let Some(Ask(ask)) = self.pin {
            builder = builder.with_pin(Pin::callback(ask));
        }
        if let Some(key) = self.public_key {
            builder = builder.with_public_key(key);
        }
        if self.protection == Protection::NonExtractable {
            builder = builder.require_non_extractable();
        }
        Ok(Arc::new(builder.build().await?))
    }
}
