//! What is known of a signing key without asking its backend again.

use std::fmt;

use crate::public_key::PublicKey;
use crate::signer::SigningAlgorithm;

/// What a signer knows of its key without asking the backend again.
#[derive(Debug, Clone)]
pub struct KeyInfo {
    public_key: PublicKey,
    backend: &'static str,
    label: String,
    location: String,
    format: Option<String>,
    exportability: Exportability,
    attributes: Vec<(&'static str, String)>,
    warnings: Vec<String>,
}

impl KeyInfo {
    /// States a key: its public half, the backend's short name (`pem`, `pkcs11`, `aws-kms`), a label for
    /// people and where the key lives. Neither label nor location may hold a secret: both are shown.
    #[must_use]
    pub fn new(
        public_key: PublicKey,
        backend: &'static str,
        label: impl Into<String>,
        location: impl Into<String>,
    ) -> Self {
        Self {
            public_key,
            backend,
            label: label.into(),
            location: location.into(),
            format: None,
            exportability: Exportability::Unknown,
            attributes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// States the form in which the key is kept, such as `PKCS#8 PEM`.
    #[must_use]
    pub fn with_format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(format.into());
        self
    }

    /// States whether the private key can leave its place.
    #[must_use]
    pub fn with_exportability(mut self, exportability: Exportability) -> Self {
        self.exportability = exportability;
        self
    }

    /// Adds what the backend says of the key in its own terms, such as `CKA_SENSITIVE` and `true`.
    #[must_use]
    pub fn with_attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Adds something that an operator should know and act upon.
    #[must_use]
    pub fn with_warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// The algorithm that the signer uses.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public_key.algorithm()
    }

    /// The public half, against which every signature can be verified.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The backend's short name: `pem`, `pkcs11` or `aws-kms`, or a third party's own.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// A name for people.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Where the key lives: a path, a token and object, an ARN.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The form in which the key is kept, for people, where it has one.
    #[must_use]
    pub fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }

    /// Whether the private key can leave its place.
    #[must_use]
    pub fn exportability(&self) -> Exportability {
        self.exportability
    }

    /// What the backend says of the key in its own terms: names and values, in the backend's order.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.attributes.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// What an operator should know and act upon, in full sentences without a full stop.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl fmt::Display for KeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key `{}` ({} {}, {})", self.label, self.algorithm(), self.public_key.bits(), self.location)
    }
}

/// Whether a private key can leave the place where it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exportability {
    /// It can be read or copied, as any key file can.
    Exportable,
    /// The device or service does not give it out.
    NonExportable,
    /// The backend does not say.
    Unknown,
}
