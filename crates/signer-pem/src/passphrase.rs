//! Where the passphrase of an encrypted key comes from; asked for only when the key is encrypted.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

use soticket_core::SecretText;

use crate::error::{KeyError, KeyProblem};
use crate::source;

/// The longest passphrase that is accepted from a file, in bytes.
pub const MAX_PASSPHRASE_BYTES: usize = 4096;

/// A passphrase, or the way to one.
///
/// It is looked up at most once, and only when a key turns out to be encrypted.
pub struct Passphrase(Origin);

enum Origin {
    None,
    Text(SecretText),
    File(PathBuf),
    Environment(String),
    Callback(Callback),
}

type CallbackError = Box<dyn StdError + Send + Sync>;
type Callback = Box<dyn FnOnce() -> Result<SecretText, CallbackError> + Send>;

impl Passphrase {
    /// No passphrase: an encrypted key is refused.
    #[must_use]
    pub fn none() -> Self {
        Self(Origin::None)
    }

    /// The passphrase itself.
    #[must_use]
    pub fn text(passphrase: SecretText) -> Self {
        Self(Origin::Text(passphrase))
    }

    /// The contents of a file in UTF-8, without the line end that editors put there.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::File(path.into()))
    }

    /// The value of the environment variable `name`, as it is.
    #[must_use]
    pub fn environment(name: impl Into<String>) -> Self {
        Self(Origin::Environment(name.into()))
    }

    /// What `ask` returns, a prompt for instance; it is called at most once, on the calling thread.
    #[must_use]
    pub fn callback<E>(ask: impl FnOnce() -> Result<SecretText, E> + Send + 'static) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self(Origin::Callback(Box::new(|| ask().map_err(Into::into))))
    }

    /// Whether somebody went out of their way to give one, so that not needing it is worth a word.
    pub(crate) fn is_given(&self) -> bool {
        match &self.0 {
            Origin::None | Origin::Callback(_) => false,
            Origin::Text(_) | Origin::File(_) => true,
            Origin::Environment(name) => std::env::var_os(name).is_some_and(|value| !value.is_empty()),
        }
    }

    /// The passphrase, with a warning when the file that it is in can be read by others.
    pub(crate) fn resolve(self) -> Result<Resolved, KeyError> {
        let (text, place, warning) = match self.0 {
            Origin::None => return Err(KeyProblem::PassphraseMissing.into()),
            Origin::Text(text) => (text, "the passphrase text".to_owned(), None),
            Origin::File(path) => return read_file(path),
            Origin::Environment(name) => {
                let place = format!("the environment variable `{name}`");
                (read_environment(&name, &place)?, place, None)
            }
            Origin::Callback(ask) => {
                let place = "the passphrase prompt".to_owned();
                let text = ask().map_err(|cause| {
                    KeyError::with_source(KeyProblem::PassphraseUnavailable(place.clone()), cause)
                })?;
                (text, place, None)
            }
        };
        if text.expose().is_empty() {
            return Err(KeyProblem::PassphraseEmpty(place).into());
        }
        Ok(Resolved { text, warning })
    }
}

impl Default for Passphrase {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::None => f.write_str("Passphrase(none)"),
            Origin::Text(_) => f.write_str("Passphrase([redacted])"),
            Origin::File(path) => write!(f, "Passphrase(file {})", path.display()),
            Origin::Environment(name) => write!(f, "Passphrase(environment {name})"),
            Origin::Callback(_) => f.write_str("Passphrase(callback)"),
        }
    }
}

/// A passphrase that is not empty.
pub(crate) struct Resolved {
    pub(crate) text: SecretText,
    pub(crate) warning: Option<String>,
}

fn read_environment(name: &str, place: &str) -> Result<SecretText, KeyError> {
    let unavailable = |cause| {
        // The cause of a value that is not Unicode would show that value.
        let why = match cause {
            std::env::VarError::NotPresent => "which is not set; set it to the key's passphrase",
            std::env::VarError::NotUnicode(_) => "whose value is not valid Unicode",
        };
        KeyProblem::PassphraseUnavailable(format!("{place}, {why}"))
    };
    Ok(SecretText::new(std::env::var(name).map_err(unavailable)?))
}

fn read_file(path: PathBuf) -> Result<Resolved, KeyError> {
    let place = format!("the passphrase file `{}`", path.display());
    let contents = source::read_file(&path, MAX_PASSPHRASE_BYTES).map_err(|error| match error.problem() {
        KeyProblem::TooBig => KeyProblem::PassphraseTooLong(place.clone()).into(),
        KeyProblem::Empty => KeyProblem::PassphraseEmpty(place.clone()).into(),
        other => {
            let problem = KeyProblem::PassphraseUnavailable(format!("{place}: {other}"));
            error.replace(problem)
        }
    })?;
    let text = std::str::from_utf8(&contents.bytes)
        .map_err(|_| KeyProblem::PassphraseUnavailable(format!("{place}, which is not text in UTF-8")))?;
    let text = without_line_end(text.trim_start_matches('\u{feff}'));
    if text.is_empty() {
        return Err(KeyProblem::PassphraseEmpty(place).into());
    }
    Ok(Resolved { text: SecretText::new(text.to_owned()), warning: contents.warning })
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
