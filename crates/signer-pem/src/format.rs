//! What a key file turned out to be.

use std::fmt;

/// The format that a key was read from, for people: `PKCS#8 PEM, encrypted (PBES2 scrypt AES-256-CBC)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectedFormat {
    container: Container,
    encoding: Encoding,
    encryption: Option<String>,
}

impl DetectedFormat {
    pub(crate) fn new(container: Container, encoding: Encoding) -> Self {
        Self { container, encoding, encryption: None }
    }

    pub(crate) fn with_encryption(mut self, scheme: String) -> Self {
        self.encryption = Some(scheme);
        self
    }

    /// The structure that holds the key.
    #[must_use]
    pub fn container(&self) -> Container {
        self.container
    }

    /// How the structure is written down.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The encryption scheme, such as `PBES2 scrypt AES-256-CBC`; nothing when the key is stored in the clear.
    #[must_use]
    pub fn encryption(&self) -> Option<&str> {
        self.encryption.as_deref()
    }
}

impl fmt::Display for DetectedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.container, self.encoding)?;
        match &self.encryption {
            Some(scheme) => write!(f, ", encrypted ({scheme})"),
            None => Ok(()),
        }
    }
}

/// The structure that holds a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Container {
    /// PKCS#8 `PrivateKeyInfo` or `EncryptedPrivateKeyInfo` (RFC 5958), for any kind of key.
    Pkcs8,
    /// PKCS#1 `RSAPrivateKey` (RFC 8017).
    Pkcs1,
    /// SEC1 `ECPrivateKey` (RFC 5915).
    Sec1,
    /// `RSAKeyValue` as .NET writes it, which is the form that SuperOffice hands out.
    RsaKeyValue,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs8 => "PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
            Self::RsaKeyValue => "RSAKeyValue",
        })
    }
}

/// How a structure is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Base64 between `-----BEGIN …-----` and `-----END …-----`.
    Pem,
    /// Binary ASN.1.
    Der,
    /// Text with elements.
    Xml,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pem => "PEM",
            Self::Der => "DER",
            Self::Xml => "XML",
        })
    }
}
