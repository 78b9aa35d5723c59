//! A program with its arguments: printed so that it can be pasted into a shell, and run.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{error::Error, repository::Repository};

/// The program that cargo is called by; the one that started this program stands behind it.
const CARGO: &str = "cargo";

/// Set by CI, as by most CI services.
const CI_VARIABLE: &str = "CI";

/// A program to run in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    program: String,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    removed: Vec<String>,
    folder: Option<PathBuf>,
}

impl Invocation {
    pub(crate) fn new<S: Into<String>>(program: &str, args: impl IntoIterator<Item = S>) -> Self {
        Self {
            program: program.to_owned(),
            args: args.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            removed: Vec::new(),
            folder: None,
        }
    }

    pub(crate) fn cargo<S: Into<String>>(args: impl IntoIterator<Item = S>) -> Self {
        Self::new(CARGO, args)
    }

    pub(crate) fn with_args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn with_env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.removed.push(name.to_owned());
        self
    }

    /// Runs in `folder`, relative to the repository's root, instead of in the root.
    pub(crate) fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Says what is about to run.
    pub(crate) fn announce(&self) {
        println!("running {self}");
    }

    /// Runs the program with this terminal; a failure is an error.
    pub(crate) fn run(&self, repository: &Repository) -> Result<(), Error> {
        let status = self.command(repository).status().map_err(|cause| self.not_started(cause))?;
        if status.success() { Ok(()) } else { Err(Error::Failed { command: self.to_string(), status }) }
    }

    /// Runs the program and returns what it printed; its complaints go to this terminal.
    pub(crate) fn output(&self, repository: &Repository) -> Result<Vec<u8>, Error> {
        let output = self
            .command(repository)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|cause| self.not_started(cause))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(Error::Failed { command: self.to_string(), status: output.status })
        }
    }

    /// What the program prints when it is there and content, all its complaints hidden.
    pub(crate) fn probe(&self, repository: &Repository) -> Option<String> {
        let output = self.command(repository).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, repository: &Repository) -> Command {
        let mut command = Command::new(self.resolved_program());
        command.args(&self.args).envs(self.environment.iter().map(|(name, value)| (name, value)));
        for name in &self.removed {
            command.env_remove(name);
        }
        if in_ci() {
            // A build from nothing gains nothing from incremental files, and pays for writing them.
            command.env("CARGO_INCREMENTAL", "0");
        }
        command.current_dir(match &self.folder {
            Some(folder) => repository.root().join(folder),
            None => repository.root().to_owned(),
        });
        command
    }

    fn resolved_program(&self) -> OsString {
        if self.program == CARGO {
            env::var_os("CARGO").unwrap_or_else(|| CARGO.into())
        } else {
            self.program.clone().into()
        }
    }

    fn not_started(&self, cause: std::io::Error) -> Error {
        Error::NotStarted { command: self.to_string(), cause }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.folder {
            write!(f, "cd {} && ", quoted(&folder.to_string_lossy()))?;
        }
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// True when a CI service runs this.
pub(crate) fn in_ci() -> bool {
    env::var_os(CI_VARIABLE).is_some_and(|value| !value.is_empty() && value != "false")
}

/// The program of this name in the folders of the PATH, or in those where Debian keeps what needs no PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_a_line_for_a_shell() {
        let doc = Invocation::cargo(["doc", "--no-deps"]).with_env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(doc.to_string(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn prints_the_folder_that_it_runs_in() {
        let npm = Invocation::new("npm", ["ci"]).with_folder("tests/node");
        assert_eq!(npm.to_string(), "cd tests/node && npm ci");
    }

    #[test]
    fn quotes_what_a_shell_would_split_or_expand() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_program_that_does_not_exist_is_not_found() {
        assert_eq!(find_program("no-program-has-this-name"), None);
        assert!(find_program("sh").is_some());
    }
}
