//! How the program ends: the exit codes that scripts rely on, and what is told of a failure.

use std::error::Error as StdError;
use std::process::ExitCode;

#[cfg(any(feature = "file-store", feature = "redis"))]
use soticket::store::StoreError;
use soticket::{Error, ErrorKind, RefusalReason, SignerError, SignerErrorKind};

use crate::terminal::tell;

/// The exit codes. Their order is their weight: of several, the highest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Done = 0,
    Unexpected = 1,
    /// Wrong usage or configuration.
    Configuration = 2,
    /// The signer failed: key, passphrase, device.
    Signer = 3,
    /// SuperOffice refused.
    Refused = 4,
    /// The answer could not be trusted.
    Untrusted = 5,
    /// The network failed, after retries.
    Network = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&ErrorKind> for Exit {
    fn from(kind: &ErrorKind) -> Self {
        match kind {
            ErrorKind::Configuration => Self::Configuration,
            ErrorKind::Signer(kind) => (*kind).into(),
            ErrorKind::Refused(_) => Self::Refused,
            ErrorKind::Protocol | ErrorKind::Untrusted(_) => Self::Untrusted,
            ErrorKind::Transport => Self::Network,
            _ => Self::Unexpected,
        }
    }
}

impl From<SignerErrorKind> for Exit {
    fn from(kind: SignerErrorKind) -> Self {
        match kind {
            SignerErrorKind::Configuration => Self::Configuration,
            SignerErrorKind::Bug => Self::Unexpected,
            _ => Self::Signer,
        }
    }
}

/// Why the program could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// Which one of several it is about.
    subject: Option<String>,
    message: String,
    /// What it has in common with others of its sort, where the message is about one alone.
    sort: Option<String>,
    causes: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, subject: None, message: message.into(), sort: None, causes: Vec::new() }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, message)
    }

    /// Ends the program without a word: whoever read its output has gone.
    pub(crate) fn silent() -> Self {
        Self::new(Exit::Unexpected, "")
    }

    /// Tells `cause` and its own causes too.
    pub(crate) fn with_cause(self, cause: impl StdError) -> Self {
        self.with_chain(Some(&cause))
    }

    fn with_chain(mut self, first: Option<&dyn StdError>) -> Self {
        let mut next = first;
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// The same, told of one `subject` among several.
    pub(crate) fn about(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// Which one of several it is about.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// What it has in common with others of its sort.
    pub(crate) fn sort(&self) -> String {
        match (&self.sort, &self.subject) {
            (Some(sort), _) => sort.clone(),
            (None, Some(subject)) => self.message.replace(subject.as_str(), "…"),
            (None, None) => self.message.clone(),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The message, and the causes, one a line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let causes = self.causes.iter().map(|cause| format!("caused by: {cause}"));
        let message = match &self.subject {
            Some(subject) => format!("{subject}: {}", self.message),
            None => self.message.clone(),
        };
        std::iter::once(message).chain(causes).collect()
    }

    /// Tells it on standard error.
    pub(crate) fn report(&self) {
        if !self.message.is_empty() {
            tell(&format!("error: {}\n", self.lines().join("\n  ")));
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(error.kind().into(), error.to_string()).with_chain(error.source());
        if let ErrorKind::Refused(refusal) = error.kind()
            && refusal.reason() != RefusalReason::Unknown
        {
            // What SuperOffice says beside the reason may differ from one tenant to the next.
            let reason = refusal.reason();
            failure.sort = Some(format!("SuperOffice refused for {reason}; {}", reason.cure()));
        }
        failure
    }
}

#[cfg(any(feature = "file-store", feature = "redis"))]
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::configuration(error.to_string()).with_chain(error.source())
    }
}

impl From<SignerError> for Failure {
    fn from(error: SignerError) -> Self {
        Self::new(error.kind().into(), error.to_string()).with_chain(error.source())
    }
}
