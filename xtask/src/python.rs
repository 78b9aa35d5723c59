//! Programs from PyPI: installed by hash, each into a virtual environment of its own below cargo's target folder.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use cargo_metadata::camino::Utf8Path;

use crate::{command::Invocation, error::Error, repository::Repository};

/// A program and what it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PythonEnvironment {
    name: &'static str,
    /// What is installed, each file by its hash.
    requirements: &'static str,
    /// The same, as pip is told of it.
    requirements_file: &'static str,
}

/// The stand-in for AWS KMS.
pub(crate) const MINISTACK: PythonEnvironment = PythonEnvironment {
    name: "ministack",
    requirements: include_str!("kms/requirements.txt"),
    requirements_file: "xtask/src/kms/requirements.txt",
};

/// A SOAP client.
pub(crate) const ZEEP: PythonEnvironment = PythonEnvironment {
    name: "zeep",
    requirements: include_str!("../../tests/python/requirements.txt"),
    requirements_file: "tests/python/requirements.txt",
};

/// Written last, with what was installed.
const STAMP: &str = "installed.txt";

impl PythonEnvironment {
    /// The Python of the environment, which is made where it is missing or out of date: some seconds, once. It is thrown
    /// away with cargo's other products.
    pub(crate) fn python(
        &self,
        repository: &Repository,
        target_directory: &Utf8Path,
    ) -> Result<PathBuf, Error> {
        let folder = target_directory.join(self.name).into_std_path_buf();
        let unusable = |cause| Error::NoScratch { parent: folder.clone(), cause };
        fs::create_dir_all(&folder).map_err(unusable)?;
        // Another run may be making it.
        let lock = File::create(folder.join("lock")).map_err(unusable)?;
        lock.lock().map_err(unusable)?;
        let environment = folder.join("environment");
        let (python, stamp) = (environment.join("bin").join("python"), environment.join(STAMP));
        if !self.is_fresh(&stamp) {
            println!("installing {} with pip (takes some seconds, once)", self.name);
            self.make(repository, &environment, &python)?;
            fs::write(&stamp, self.requirements).map_err(unusable)?;
        }
        Ok(python)
    }

    fn is_fresh(&self, stamp: &Path) -> bool {
        fs::read_to_string(stamp).is_ok_and(|installed| installed == self.requirements)
    }

    fn make(&self, repository: &Repository, environment: &Path, python: &Path) -> Result<(), Error> {
        let (environment, python) = (environment.to_string_lossy(), python.to_string_lossy());
        without_secrets(Invocation::new("python3", ["-m", "venv", "--clear", environment.as_ref()]))
            .run(repository)?;
        let pip =
            Invocation::new(&python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        // Wheels alone: what has to be built runs code of its own.
        let pip = pip.with_args(["--only-binary", ":all:", "--require-hashes"]);
        without_secrets(pip.with_args(["--requirement", self.requirements_file])).run(repository)
    }
}

/// Without what is none of its business, and what would have Python load other modules.
fn without_secrets(invocation: Invocation) -> Invocation {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let foreign =
        names.filter(|name| ["AWS_", "PYTHON", "SOTICKET_"].iter().any(|start| name.starts_with(start)));
    foreign.fold(invocation, |invocation, name| invocation.without_env(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_fresh_when_it_was_finished_with_the_same_requirements() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join(STAMP);
        assert!(!ZEEP.is_fresh(&stamp));
        fs::write(&stamp, "zeep==1.0.0").unwrap();
        assert!(!ZEEP.is_fresh(&stamp));
        fs::write(&stamp, ZEEP.requirements).unwrap();
        assert!(ZEEP.is_fresh(&stamp));
    }

    #[test]
    fn everything_is_pinned_by_version_and_hash() {
        for PythonEnvironment { requirements, requirements_file, .. } in [MINISTACK, ZEEP] {
            let lines: Vec<_> = requirements.lines().filter(|line| !line.starts_with('#')).collect();
            let (files, pinned): (Vec<&str>, Vec<&str>) =
                lines.iter().partition(|line| line.starts_with(' '));
            assert!(pinned.iter().all(|line| line.contains("==") && line.ends_with('\\')), "{pinned:?}");
            assert!(files.iter().all(|line| line.contains("--hash=sha256:")), "{files:?}");
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
            assert!(root.join(requirements_file).is_file());
        }
    }
}
