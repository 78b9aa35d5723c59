//! One string that names a key, whatever the backend, and the signer that it opens.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use soticket_core::{SignerError, SignerErrorKind, TokenSigner};
#[cfg(feature = "aws-kms")]
use soticket_signer_aws_kms::AwsKmsUri;
#[cfg(feature = "pkcs11")]
use soticket_signer_pkcs11::Pkcs11Uri;
use thiserror::Error;

use crate::options::OpenSignerOptions;

/// Names a signing key: `partner.pem`, `file:partner.xml`, `pkcs11:token=…;object=…`, `awskms:///alias/partner`.
///
/// Shown and debugged without the PIN that a PKCS#11 URI may hold.
#[derive(Clone)]
pub struct SignerUri(Kind);

#[derive(Clone)]
enum Kind {
    File(PathBuf),
    #[cfg(feature = "pkcs11")]
    Pkcs11(Box<Pkcs11Uri>),
    #[cfg(feature = "aws-kms")]
    AwsKms(Box<AwsKmsUri>),
    /// Known by scheme, with no backend in this program; the text is kept as it came.
    Foreign {
        backend: &'static str,
        cure: &'static str,
        uri: String,
    },
}

impl SignerUri {
    /// The path, if the key is a local file.
    #[must_use]
    pub fn as_file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::File(path) => Some(path),
            _ => None,
        }
    }

    /// The PKCS#11 URI, if the key is in a token.
    #[cfg(feature = "pkcs11")]
    #[must_use]
    pub fn as_pkcs11(&self) -> Option<&Pkcs11Uri> {
        match &self.0 {
            Kind::Pkcs11(uri) => Some(uri),
            _ => None,
        }
    }

    /// The `awskms:` URI, if the key is in AWS KMS.
    #[cfg(feature = "aws-kms")]
    #[must_use]
    pub fn as_aws_kms(&self) -> Option<&AwsKmsUri> {
        match &self.0 {
            Kind::AwsKms(uri) => Some(uri),
            _ => None,
        }
    }

    /// Opens the key and proves that it signs. A key file is read and parsed, which blocks: an encrypted one
    /// takes up to a second of computing. A token is entered on threads of its own, which block nobody, and AWS KMS is
    /// asked over the network.
    ///
    /// # Errors
    /// [`SignerErrorKind::Configuration`] when the backend was not compiled in, with the cargo feature to
    /// enable; the backend's own errors else.
    pub async fn open(&self, options: OpenSignerOptions) -> Result<Arc<dyn TokenSigner>, SignerError> {
        match &self.0 {
            Kind::File(path) => options.open_file(path),
            #[cfg(feature = "pkcs11")]
            Kind::Pkcs11(uri) => options.open_pkcs11(uri).await,
            #[cfg(feature = "aws-kms")]
            // It asks for no secret, and no key of it can leave its place: the options have nothing to say to it.
            Kind::AwsKms(uri) => Ok(Arc::new(soticket_signer_aws_kms::AwsKmsSigner::from_uri(uri).await?)),
            Kind::Foreign { backend, cure, .. } => Err(SignerError::new(
                SignerErrorKind::Configuration,
                format!("`{self}` names a key in {backend}, for which this program has no backend; {cure}"),
            )),
        }
    }
}

impl SignerUri {
    #[cfg_attr(
        all(feature = "pkcs11", feature = "aws-kms"),
        expect(dead_code, reason = "every backend is there")
    )]
    fn foreign(backend: &'static str, cure: &'static str, uri: &str) -> Self {
        Self(Kind::Foreign { backend, cure, uri: uri.to_owned() })
    }
}

impl From<PathBuf> for SignerUri {
    /// The key in a local file.
    fn from(path: PathBuf) -> Self {
        Self(Kind::File(path))
    }
}

impl FromStr for SignerUri {
    type Err = ParseSignerUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseSignerUriError::Empty);
        }
        let scheme = text.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
        match scheme.as_ref().map(|(scheme, rest)| (scheme.as_str(), *rest)) {
            Some(("file", rest)) => file_path(rest).map(|path| Self(Kind::File(path))),
            #[cfg(feature = "pkcs11")]
            Some(("pkcs11", _)) => Ok(Self(Kind::Pkcs11(Box::new(text.parse()?)))),
            #[cfg(not(feature = "pkcs11"))]
            Some(("pkcs11", _)) => {
                Ok(Self::foreign("a PKCS#11 token", "build it with the cargo feature `pkcs11`", text))
            }
            #[cfg(feature = "aws-kms")]
            Some(("awskms", _)) => Ok(Self(Kind::AwsKms(Box::new(text.parse()?)))),
            #[cfg(not(feature = "aws-kms"))]
            Some(("awskms", _)) => {
                Ok(Self::foreign("AWS KMS", "build it with the cargo feature `aws-kms`", text))
            }
            // One letter is a drive of Windows; anything with a separator before the colon is a path.
            Some((scheme, _)) if scheme.len() > 1 && is_scheme(scheme) => {
                Err(ParseSignerUriError::UnknownScheme(scheme.to_owned()))
            }
            _ => Ok(Self(Kind::File(text.into()))),
        }
    }
}

impl fmt::Display for SignerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::File(path) => write!(f, "{}", path.display()),
            #[cfg(feature = "pkcs11")]
            Kind::Pkcs11(uri) => uri.fmt(f),
            #[cfg(feature = "aws-kms")]
            Kind::AwsKms(uri) => uri.fmt(f),
            Kind::Foreign { uri, .. } => f.write_str(&without_pin(uri)),
        }
    }
}

impl fmt::Debug for SignerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerUri({self})")
    }
}

/// Why a text names no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseSignerUriError {
    /// Nothing at all.
    #[error("the signer URI is empty; name a key, such as `partner.pem`")]
    Empty,
    /// `file:` with nothing behind it.
    #[error("`file:` names no path; write `file:partner.pem`, or `file:///etc/partner.pem`")]
    NoPath,
    /// `file://host/…`.
    #[error("`file://{0}/…` names another machine; write three slashes for a path on this one")]
    OtherHost(String),
    /// Percent-encoded bytes that are no UTF-8.
    #[error("the `file:` URI's percent-encoding is no UTF-8; give the path without `file:`")]
    NotText,
    /// A scheme that no backend has.
    #[error(
        "no backend has the scheme `{0}:`; there are file:, pkcs11: and awskms:, and a path that holds a colon begins with ./"
    )]
    UnknownScheme(String),
    /// `pkcs11:` with attributes that cannot be used.
    #[cfg(feature = "pkcs11")]
    #[error("the PKCS#11 URI cannot be used")]
    Pkcs11(#[from] soticket_signer_pkcs11::ParsePkcs11UriError),
    /// `awskms:` with something that cannot be used.
    #[cfg(feature = "aws-kms")]
    #[error("the URI of a key in AWS KMS cannot be used")]
    AwsKms(#[from] soticket_signer_aws_kms::ParseAwsKmsUriError),
}

/// The path in what follows `file:` (RFC 8089), or in the looser `file:relative/path`.
fn file_path(rest: &str) -> Result<PathBuf, ParseSignerUriError> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => match rest.split_once('/') {
            Some(("" | "localhost", _)) => rest.get(rest.find('/').unwrap_or_default()..).unwrap_or_default(),
            Some((host, _)) => return Err(ParseSignerUriError::OtherHost(host.to_owned())),
            None => return Err(ParseSignerUriError::OtherHost(rest.to_owned())),
        },
    };
    if path.is_empty() {
        return Err(ParseSignerUriError::NoPath);
    }
    percent_decode(path).map(PathBuf::from)
}

fn percent_decode(text: &str) -> Result<String, ParseSignerUriError> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| ParseSignerUriError::NotText)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// The URI with the value of each `pin-value` taken out, however its name is written.
fn without_pin(uri: &str) -> String {
    let mut shown = String::with_capacity(uri.len());
    for attribute in uri.split_inclusive(['?', '&', ';']) {
        let name = attribute.split('=').next().unwrap_or_default();
        let name = percent_decode(name.trim()).unwrap_or_default().to_ascii_lowercase();
        if name.ends_with("pin-value") {
            shown.push_str("pin-value=[redacted]");
            shown.extend(attribute.chars().next_back().filter(|last| matches!(last, '?' | '&' | ';')));
        } else {
            shown.push_str(attribute);
        }
    }
    shown
}

#[cfg(test)]
mod tests;
