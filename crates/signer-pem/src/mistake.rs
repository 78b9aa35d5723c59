//! What people hand over instead of a private key, and the cure for each.

use std::fmt;

/// Something well known that is not a private key, or not one in a format that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mistake {
    /// A public key: SubjectPublicKeyInfo, PKCS#1 `RSAPublicKey`, or `RSAKeyValue` XML without private parts.
    PublicKey,
    /// An X.509 certificate.
    Certificate,
    /// A PKCS#10 certificate request.
    CertificateRequest,
    /// A certificate bundle or other message in PKCS#7 or CMS.
    Pkcs7,
    /// A PKCS#12 file, also known as PFX.
    Pkcs12,
    /// A private key in OpenSSH's own format.
    OpenSshKey,
    /// A public key in OpenSSH's or RFC 4716's format.
    SshPublicKey,
    /// A private key in PuTTY's format.
    PuttyKey,
    /// A JSON Web Key or a set of them.
    Jwk,
    /// A Java key store.
    JavaKeyStore,
    /// An OpenPGP key.
    PgpKey,
    /// Parameters of a curve or group, without a key.
    Parameters,
    /// Base64 that lacks the PEM lines around it.
    BareBase64,
}

impl Mistake {
    /// What it is, with its article.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::PublicKey => "a public key",
            Self::Certificate => "a certificate",
            Self::CertificateRequest => "a certificate request",
            Self::Pkcs7 => "a PKCS#7 message",
            Self::Pkcs12 => "a PKCS#12 (PFX) file",
            Self::OpenSshKey => "a private key in OpenSSH's format",
            Self::SshPublicKey => "an SSH public key",
            Self::PuttyKey => "a private key in PuTTY's format",
            Self::Jwk => "a JSON Web Key",
            Self::JavaKeyStore => "a Java key store",
            Self::PgpKey => "an OpenPGP key",
            Self::Parameters => "parameters without a key",
            Self::BareBase64 => "Base64 without PEM lines around it",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn cure(self) -> &'static str {
        match self {
            Self::PublicKey | Self::SshPublicKey => {
                "signing needs the private half; name the file that holds it"
            }
            Self::Certificate | Self::Pkcs7 => {
                "a certificate holds no private key; name the file of its private key"
            }
            Self::CertificateRequest => {
                "a request holds no private key; name the key file that it was made with"
            }
            Self::Pkcs12 => "extract the key with `openssl pkcs12 -in FILE -nocerts -out key.pem`",
            Self::OpenSshKey => "convert a copy of it with `ssh-keygen -p -m PKCS8 -f FILE`",
            Self::PuttyKey => "export it with `puttygen FILE -O private-openssh -o key.pem`",
            Self::Jwk => "convert it to PKCS#8 PEM with the tool that made it",
            Self::JavaKeyStore => {
                "convert it with `keytool -importkeystore -srckeystore FILE -destkeystore key.p12 \
                 -deststoretype pkcs12`, then `openssl pkcs12 -in key.p12 -nocerts -out key.pem`"
            }
            Self::PgpKey => "OpenPGP keys cannot be used; take the key that was registered with SuperOffice",
            Self::Parameters => "name the file that holds the private key itself",
            Self::BareBase64 => {
                "put the line `-----BEGIN PRIVATE KEY-----` before it and the line \
                 `-----END PRIVATE KEY-----` after it"
            }
        }
    }

    /// The mistake behind a PEM label, if it is a known one.
    pub(crate) fn from_pem_label(label: &str) -> Option<Self> {
        Some(match label {
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "EC PUBLIC KEY" => Self::PublicKey,
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Self::Certificate,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::CertificateRequest,
            "PKCS7" | "CMS" => Self::Pkcs7,
            "PKCS12" => Self::Pkcs12,
            "OPENSSH PRIVATE KEY" => Self::OpenSshKey,
            "SSH2 PUBLIC KEY" => Self::SshPublicKey,
            "PGP PRIVATE KEY BLOCK" | "PGP PUBLIC KEY BLOCK" => Self::PgpKey,
            "EC PARAMETERS" | "DH PARAMETERS" | "DSA PARAMETERS" => Self::Parameters,
            _ => return None,
        })
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.cure())
    }
}
