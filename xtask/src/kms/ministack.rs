//! ministack, a stand-in for AWS that somebody else wrote: installed by hash into a virtual environment of its own.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use cargo_metadata::camino::Utf8Path;

use crate::{command::Invocation, error::Error, repository::Repository};

/// What is installed, each file by its hash.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The same, as pip is told of it.
const REQUIREMENTS_FILE: &str = "xtask/src/kms/requirements.txt";

/// Written last, with what was installed.
const STAMP: &str = "installed.txt";

/// The Python of the virtual environment, which is made where it is missing or out of date: some seconds, once. It is
/// thrown away with cargo's other products.
pub(super) fn installed(repository: &Repository, target_directory: &Utf8Path) -> Result<PathBuf, Error> {
    let folder = target_directory.join("ministack").into_std_path_buf();
    let unusable = |cause| Error::NoScratch { parent: folder.clone(), cause };
    fs::create_dir_all(&folder).map_err(unusable)?;
    // Another run may be making it.
    let lock = File::create(folder.join("lock")).map_err(unusable)?;
    lock.lock().map_err(unusable)?;
    let environment = folder.join("environment");
    let (python, stamp) = (environment.join("bin").join("python"), environment.join(STAMP));
    if !is_fresh(&stamp) {
        println!("installing ministack with pip (takes some seconds, once)");
        make(repository, &environment, &python)?;
        fs::write(&stamp, REQUIREMENTS).map_err(unusable)?;
    }
    Ok(python)
}

fn is_fresh(stamp: &Path) -> bool {
    fs::read_to_string(stamp).is_ok_and(|installed| installed == REQUIREMENTS)
}

fn make(repository: &Repository, environment: &Path, python: &Path) -> Result<(), Error> {
    let (environment, python) = (environment.to_string_lossy(), python.to_string_lossy());
    without_secrets(Invocation::new("python3", ["-m", "venv", "--clear", environment.as_ref()]))
        .run(repository)?;
    let pip = Invocation::new(&python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    // Wheels alone: what has to be built runs code of its own.
    let pip =
        pip.with_args(["--only-binary", ":all:", "--require-hashes", "--requirement", REQUIREMENTS_FILE]);
    without_secrets(pip).run(repository)
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
        assert!(!is_fresh(&stamp));
        fs::write(&stamp, "ministack==1.0.0").unwrap();
        assert!(!is_fresh(&stamp));
        fs::write(&stamp, REQUIREMENTS).unwrap();
        assert!(is_fresh(&stamp));
    }

    #[test]
    fn everything_is_pinned_by_version_and_hash() {
        let lines: Vec<_> = REQUIREMENTS.lines().filter(|line| !line.starts_with('#')).collect();
        let pinned = lines.iter().filter(|line| !line.starts_with(' '));
        assert!(pinned.clone().all(|line| line.contains("==") && line.ends_with('\\')), "{pinned:?}");
        assert!(
            lines.iter().filter(|line| line.starts_with(' ')).all(|line| line.contains("--hash=sha256:"))
        );
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(root.join(REQUIREMENTS_FILE).is_file());
    }
}
