//! Where the PIN comes from, and the memory of those that a token refused: none is ever tried twice.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use aws_lc_rs::{hmac, rand};
use cryptoki::types::AuthPin;
use parking_lot::Mutex;
use soticket_core::{SecretText, SignerError, SignerErrorKind};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::opening::while_a_person_answers;
use crate::uri::UriPin;

/// The longest PIN file that is read, in bytes.
pub const MAX_PIN_FILE_BYTES: usize = 4096;

/// The PIN of the token's user, or the way to it.
///
/// It is looked up at most once, only if the token wants a login, and only if the URI holds neither
/// `pin-source` nor `pin-value`. It is kept in memory while the signer lives, to log in again after an outage.
pub struct Pin(Origin);

enum Origin {
    None,
    Text(SecretText),
    File(PathBuf),
    Environment(String),
    Callback(Callback),
}

type Callback = Box<dyn FnOnce() -> Result<SecretText, SignerError> + Send>;

impl Pin {
    /// None: a token that wants one is refused, unless the URI says where it is.
    #[must_use]
    pub fn none() -> Self {
        Self(Origin::None)
    }

    /// The PIN itself.
    #[must_use]
    pub fn text(pin: SecretText) -> Self {
        Self(Origin::Text(pin))
    }

    /// The contents of a file, without the line end that editors put there.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::File(path.into()))
    }

    /// The value of the environment variable `name`.
    #[must_use]
    pub fn environment(name: impl Into<String>) -> Self {
        Self(Origin::Environment(name.into()))
    }

    /// What `ask` returns, a prompt for instance; called at most once, on a thread that may block.
    #[must_use]
    pub fn callback(ask: impl FnOnce() -> Result<SecretText, SignerError> + Send + 'static) -> Self {
        Self(Origin::Callback(Box::new(ask)))
    }

    /// The PIN, from the URI if it has one; an empty one never leaves here, since it would count as a try.
    pub(crate) fn resolve(self, uri: Option<&UriPin>) -> Result<ResolvedPin, SignerError> {
        let origin = match uri {
            Some(UriPin::Value(pin)) => {
                tracing::warn!(
                    "the PIN stands in the signer URI, where logs and process lists may show it; use pin-source"
                );
                Origin::Text(pin.clone())
            }
            Some(UriPin::Source(path)) => Origin::File(path.clone()),
            None => self.0,
        };
        let pin = match origin {
            Origin::None => return Err(missing()),
            Origin::Text(pin) => pin,
            Origin::File(path) => read_file(&path)?,
            Origin::Environment(name) => read_environment(&name)?,
            Origin::Callback(ask) => while_a_person_answers(ask)?,
        };
        if pin.expose().is_empty() {
            return Err(configuration(
                "the PIN is empty, which the token would count as a wrong one; give the PIN",
            ));
        }
        Ok(ResolvedPin(AuthPin::new(pin.expose().into())))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::None => f.write_str("Pin(none)"),
            Origin::Text(_) => f.write_str("Pin([redacted])"),
            Origin::File(path) => write!(f, "Pin(file {})", path.display()),
            Origin::Environment(name) => write!(f, "Pin(environment {name})"),
            Origin::Callback(_) => f.write_str("Pin(callback)"),
        }
    }
}

/// A PIN that is at hand. Wiped when it is dropped.
pub(crate) struct ResolvedPin(AuthPin);

impl ResolvedPin {
    pub(crate) fn as_auth_pin(&self) -> &AuthPin {
        &self.0
    }

    fn expose(&self) -> &str {
        use secrecy::ExposeSecret as _;
        self.0.expose_secret()
    }
}

impl fmt::Debug for ResolvedPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Whether `pin` was refused by the token at `place` before, in the life of this process.
pub(crate) fn was_refused(place: &str, pin: &ResolvedPin) -> bool {
    REFUSED.lock().contains(&fingerprint(place, pin))
}

/// Remembers that the token at `place` refused `pin`.
pub(crate) fn remember_refused(place: &str, pin: &ResolvedPin) {
    REFUSED.lock().insert(fingerprint(place, pin));
}

/// Useless outside of this process: the key is random and never leaves it.
fn fingerprint(place: &str, pin: &ResolvedPin) -> [u8; FINGERPRINT_BYTES] {
    let mut context = hmac::Context::with_key(&FINGERPRINT_KEY);
    context.update(place.as_bytes());
    context.update(&[0]);
    context.update(pin.expose().as_bytes());
    let mut fingerprint = [0; FINGERPRINT_BYTES];
    fingerprint.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
    fingerprint
}

fn missing() -> SignerError {
    configuration(
        "the token wants a PIN and none is given; add `pin-source=/path/of/a/file` to the URI, set SOTICKET_PKCS11_PIN \
         for the command line, or give the signer one",
    )
}

fn configuration(message: impl Into<String>) -> SignerError {
    Fault::configuration(message).into()
}

fn read_environment(name: &str) -> Result<SecretText, SignerError> {
    match std::env::var(name) {
        Ok(pin) => Ok(SecretText::new(pin)),
        Err(std::env::VarError::NotPresent) => Err(configuration(format!(
            "the environment variable `{name}`, where the PIN should be, is not set"
        ))),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(configuration(format!("the PIN in the environment variable `{name}` is no UTF-8")))
        }
    }
}

fn read_file(path: &Path) -> Result<SecretText, SignerError> {
    let cannot = |cause: std::io::Error| {
        let message = format!(
            "the PIN cannot be read from `{}`; see that the file is there and may be read",
            path.display()
        );
        SignerError::new(SignerErrorKind::Configuration, message).with_source(cause)
    };
    let file = File::open(path).map_err(cannot)?;
    warn_of_readers(path, &file);
    // Room for all of it: what a growing buffer leaves behind is not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PIN_FILE_BYTES + 1));
    file.take(MAX_PIN_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > MAX_PIN_FILE_BYTES {
        return Err(configuration(format!(
            "`{}` is larger than any file with a PIN; name the right one",
            path.display()
        )));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| configuration(format!("the PIN in `{}` is no UTF-8", path.display())))?;
    let pin = text.trim_end_matches(['\r', '\n']);
    if pin.is_empty() {
        return Err(configuration(format!(
            "`{}` holds no PIN, and an empty one would count as a wrong one; write the PIN into it",
            path.display()
        )));
    }
    Ok(SecretText::new(pin.to_owned()))
}

#[cfg(unix)]
fn warn_of_readers(path: &Path, file: &File) {
    use std::os::unix::fs::PermissionsExt as _;
    const READ_BY_OTHERS: u32 = 0o044;
    let mode = file.metadata().map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    if mode & READ_BY_OTHERS != 0 {
        tracing::warn!(
            "`{0}` holds the PIN and can be read by other users; run `chmod 600 {0}`",
            path.display()
        );
    }
}

/// Elsewhere access is governed by lists that the standard library does not show.
#[cfg(not(unix))]
fn warn_of_readers(_: &Path, _: &File) {}

const FINGERPRINT_BYTES: usize = 32;
static FINGERPRINT_KEY: LazyLock<hmac::Key> = LazyLock::new(|| {
    let mut key = Zeroizing::new([0; FINGERPRINT_BYTES]);
    // Without randomness the memory still works: it is never shown to anybody.
    let _ = rand::fill(&mut *key);
    hmac::Key::new(hmac::HMAC_SHA256, &*key)
});
static REFUSED: LazyLock<Mutex<HashSet<[u8; FINGERPRINT_BYTES]>>> = LazyLock::new(Mutex::default);

#[cfg(test)]
mod tests;
