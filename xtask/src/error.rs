//! What makes a chore fail.

use std::{error::Error as _, fmt::Write as _, io, path::PathBuf, process::ExitStatus};

/// A chore that could not be done; the message names the thing and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error("the repository was not found; run this as `cargo xtask`")]
    NoRepository,
    #[error("`{command}` could not be started; is it installed and on the PATH?")]
    NotStarted {
        command: String,
        #[source]
        cause: io::Error,
    },
    #[error("`{command}` failed ({status})")]
    Failed { command: String, status: ExitStatus },
    #[error("the description of the workspace could not be had from cargo")]
    Metadata(#[from] cargo_metadata::Error),
    #[error("{} could not be read", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("a throw-away folder could not be made in {}; TMPDIR names another place", parent.display())]
    NoScratch {
        parent: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(
        "no test of `{package}` has `{word}` in its name; if they were renamed, have the chore name them anew"
    )]
    NoTests { package: &'static str, word: &'static str },
    #[error("the stand-in for AWS KMS does not start; it said:\n{log}")]
    NoDouble {
        log: String,
        #[source]
        cause: io::Error,
    },
    #[error("{count} {} against the rules of the repository, listed above", if *count == 1 { "place" } else { "places" })]
    Untidy { count: usize },
    #[error(
        "{} are missing and there is no apt-get here: install what Debian calls {}, then run this again",
        needs.join(", "),
        packages.join(" ")
    )]
    NoPackageManager { needs: Vec<String>, packages: Vec<String> },
    #[error("{failed} of {all} steps failed")]
    StepsFailed { failed: usize, all: usize },
}

impl Error {
    /// The message followed by each cause, on one line.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    }
}
