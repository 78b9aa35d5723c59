//! Where secrets come from: a file, standard input, the environment or a prompt, never the command line.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use soticket::{SecretText, SignerError, SignerErrorKind};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The longest secret that is read, in bytes.
const MAX_SECRET_SIZE: usize = 64 * 1024;

/// The longest list of tenants that is read, in bytes: some million tenants.
const MAX_LIST_SIZE: usize = 256 * 1024 * 1024;

/// What is read at once at the least, in bytes.
const MIN_READ: usize = 4096;

/// The places where one secret may be.
#[derive(Debug)]
pub(crate) struct SecretInput {
    /// Its name, as in “the … cannot be read”.
    pub(crate) what: &'static str,
    /// The environment variable that may hold it.
    pub(crate) variable: Option<&'static str>,
    /// The flag that may name its file.
    pub(crate) flag: Option<&'static str>,
    pub(crate) file_of_flag: Option<PathBuf>,
    pub(crate) file_of_settings: Option<PathBuf>,
    pub(crate) prompt: Prompt,
}

/// How often a prompt asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    Once,
    /// For a new secret, of which a slip of the finger would lock out for ever.
    Twice,
}

impl SecretInput {
    /// Reads it from the first of: the flag's file, the variable, the settings' file, a prompt.
    pub(crate) fn read(&self) -> Result<SecretText, Failure> {
        if let Some(path) = &self.file_of_flag {
            return self.read_file(path);
        }
        if let Some(secret) = self.variable_value()? {
            return Ok(secret);
        }
        match &self.file_of_settings {
            Some(path) => self.read_file(path),
            None => self.ask(),
        }
    }

    /// The secret, with a failure in a signer's own terms.
    pub(crate) fn read_for_signer(&self) -> Result<SecretText, SignerError> {
        let told =
            |failure: Failure| SignerError::new(SignerErrorKind::Configuration, failure.lines().join("; "));
        self.read().map_err(told)
    }

    fn variable_value(&self) -> Result<Option<SecretText>, Failure> {
        let Some(variable) = self.variable else { return Ok(None) };
        match std::env::var(variable) {
            Ok(text) => Ok(Some(SecretText::new(text))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Failure::configuration(format!("{variable} is no UTF-8")))
            }
        }
    }

    fn read_file(&self, path: &Path) -> Result<SecretText, Failure> {
        let is_input = path == Path::new("-");
        let place = if is_input { "standard input".to_owned() } else { format!("`{}`", path.display()) };
        let cannot = |error: io::Error| {
            Failure::configuration(format!("the {} cannot be read from {place}", self.what)).with_cause(error)
        };
        let bytes = if is_input {
            read_capped(io::stdin().lock()).map_err(cannot)?
        } else {
            warn_of_readers(path, self.what);
            std::fs::File::open(path).and_then(read_capped).map_err(cannot)?
        };
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::configuration(format!("the {} in {place} is no UTF-8", self.what)))?;
        // Editors and `echo` end a file with a line feed, which is no part of the secret.
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(Failure::configuration(format!("the {} in {place} is empty", self.what)));
        }
        Ok(SecretText::new(text.to_owned()))
    }

    fn ask(&self) -> Result<SecretText, Failure> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(self.missing());
        }
        let answer = self.prompt("")?;
        if answer.expose().is_empty() {
            return Err(self.missing());
        }
        if self.prompt == Prompt::Twice && self.prompt(" again")?.expose() != answer.expose() {
            return Err(Failure::configuration(format!("the {} was not the same both times", self.what)));
        }
        Ok(answer)
    }

    fn prompt(&self, again: &str) -> Result<SecretText, Failure> {
        let what = self.what;
        let answer = rpassword::prompt_password(format!("The {what}{again}: ")).map_err(|error| {
            Failure::configuration(format!("the {what} cannot be asked for")).with_cause(error)
        })?;
        Ok(SecretText::new(answer))
    }

    fn missing(&self) -> Failure {
        let variable = self.variable.map(|variable| format!("set {variable}"));
        let flag = self.flag.map(|flag| format!("name a file by {flag}"));
        let ways: Vec<_> = variable.into_iter().chain(flag).collect();
        Failure::configuration(format!("no {} is given; {}", self.what, ways.join(", or ")))
    }
}

/// A secret that is asked for once, however many have a use for it, and not at all if nobody has.
#[derive(Debug, Clone)]
pub(crate) struct SharedSecret(Arc<(SecretInput, Mutex<Option<SecretText>>)>);

impl SharedSecret {
    pub(crate) fn new(input: SecretInput) -> Self {
        Self(Arc::new((input, Mutex::default())))
    }

    /// The secret, with a failure in a signer's own terms.
    pub(crate) fn read_for_signer(&self) -> Result<SecretText, SignerError> {
        let (input, kept) = &*self.0;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = &*kept {
            return Ok(secret.clone());
        }
        let secret = input.read_for_signer()?;
        *kept = Some(secret.clone());
        Ok(secret)
    }
}

/// Refuses to read two things from one standard input; each flag with the file that it names.
pub(crate) fn refuse_two_inputs(flags: &[(&'static str, Option<&Path>)]) -> Result<(), Failure> {
    let mut inputs = flags.iter().filter(|(_, file)| *file == Some(Path::new("-"))).map(|(flag, _)| flag);
    match (inputs.next(), inputs.next()) {
        (Some(first), Some(second)) => Err(Failure::configuration(format!(
            "{first} and {second} both ask for standard input, which is read once; name a file by one of them"
        ))),
        _ => Ok(()),
    }
}

/// Reads a list that holds secrets: a file, or standard input for `-`.
pub(crate) fn read_list(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = if path == Path::new("-") {
        read_wiping(io::stdin().lock(), 0)
    } else {
        warn_of_readers(path, what);
        std::fs::File::open(path).and_then(|file| {
            let size = file.metadata().map_or(0, |metadata| metadata.len());
            read_wiping(file, usize::try_from(size).unwrap_or_default())
        })
    };
    read.map_err(|error| {
        Failure::configuration(format!("the {what} cannot be read from `{}`", path.display()))
            .with_cause(error)
    })
}

/// Reads to the end, and wipes what is left behind where the memory has to move.
fn read_wiping(mut source: impl io::Read, size: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.min(MAX_LIST_SIZE) + MIN_READ));
    loop {
        // The end is noticed only with room to spare, and with room there is no growth.
        let room = bytes.capacity() - bytes.len();
        if source.by_ref().take(room as u64).read_to_end(&mut bytes)? < room {
            return Ok(bytes);
        }
        if bytes.len() > MAX_LIST_SIZE {
            return Err(io::Error::other(format!("it has more than {MAX_LIST_SIZE} bytes; split it")));
        }
        let mut grown = Zeroizing::new(Vec::with_capacity(2 * bytes.capacity()));
        grown.extend_from_slice(&bytes);
        bytes = grown;
    }
}

/// Reads to the end into memory that does not move, since what a growing buffer leaves behind is not wiped.
fn read_capped(mut source: impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_SIZE + 1));
    source.by_ref().take(MAX_SECRET_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_SECRET_SIZE {
        return Err(io::Error::other(format!(
            "it has more than {MAX_SECRET_SIZE} bytes, which no secret has"
        )));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn warn_of_readers(path: &Path, what: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    const READ_BY_OTHERS: u32 = 0o044;
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    if mode & READ_BY_OTHERS != 0 {
        tracing::warn!(
            "`{0}` holds the {what} and can be read by other users; run `chmod 600 {0}`",
            path.display()
        );
    }
}

/// Elsewhere access is governed by lists that the standard library does not show.
#[cfg(not(unix))]
fn warn_of_readers(_: &Path, _: &str) {}
