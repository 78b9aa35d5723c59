//! One string that names a key, whatever the backend, and the signer that it opens.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use soticket_core::{SecretText, SignerError, SignerErrorKind, TokenSigner};
use thiserror::Error;

/// Names a signing key: `partner.pem`, `file:partner.xml`, `pkcs11:token=…;object=…`, `awskms:///alias/partner`.
///
/// Shown and debugged without the PIN that a PKCS#11 URI may hold.
#[derive(Clone, PartialEq, Eq)]
pub struct SignerUri(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    File(PathBuf),
    /// Known by scheme, with no backend in this version; the text is kept as it came.
    Foreign {
        backend: &'static str,
        uri: String,
    },
}

impl SignerUri {
    /// The path, if the key is a local file.
    #[must_use]
    pub fn as_file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::File(path) => Some(path),
            Kind::Foreign { .. } => None,
        }
    }

    /// Opens the key and proves that it signs. A key file is read and parsed, which blocks: an encrypted one
    /// takes up to a second of computing.
    ///
    /// # Errors
    /// [`SignerErrorKind::Configuration`] when the backend was not compiled in, with the cargo feature to
    /// enable; the backend's own errors else.
    pub async fn open(&self, options: OpenSignerOptions) -> Result<Arc<dyn TokenSigner>, SignerError> {
        match &self.0 {
            Kind::File(path) => open_file(path, options),
            Kind::Foreign { backend, .. } => Err(SignerError::new(
                SignerErrorKind::Configuration,
                format!(
                    "`{self}` names a key in {backend}, for which this version has no backend; use a key file"
                ),
            )),
        }
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
            Some(("pkcs11", _)) => Ok(Self(Kind::Foreign { backend: "a PKCS#11 token", uri: text.into() })),
            Some(("awskms", _)) => Ok(Self(Kind::Foreign { backend: "AWS KMS", uri: text.into() })),
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
}

/// What opening a key may need beside its URI.
#[derive(Debug, Default)]
pub struct OpenSignerOptions {
    passphrase: Option<AskPassphrase>,
}

/// Asked at most once, and only if the key turns out to be encrypted.
#[cfg_attr(not(feature = "pem"), expect(dead_code, reason = "no backend without `pem` has encrypted keys"))]
struct AskPassphrase(Box<dyn FnOnce() -> Result<SecretText, SignerError> + Send>);

impl fmt::Debug for AskPassphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AskPassphrase")
    }
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
        self.passphrase = Some(AskPassphrase(Box::new(ask)));
        self
    }
}

#[cfg(feature = "pem")]
fn open_file(path: &Path, options: OpenSignerOptions) -> Result<Arc<dyn TokenSigner>, SignerError> {
    use soticket_signer_pem::{KeySource, Passphrase, PemSigner};
    let mut builder = PemSigner::builder(KeySource::file(path));
    if let Some(AskPassphrase(ask)) = options.passphrase {
        builder = builder.with_passphrase(Passphrase::callback(ask));
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(not(feature = "pem"))]
fn open_file(path: &Path, _options: OpenSignerOptions) -> Result<Arc<dyn TokenSigner>, SignerError> {
    let message = format!(
        "`{}` names a key file, for which this program was built without a backend; enable the cargo feature `pem`",
        path.display()
    );
    Err(SignerError::new(SignerErrorKind::Configuration, message))
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
