//! The chore `setup`: what the tests need beyond cargo, installed where it is missing.

mod debian;
mod needs;

use std::{fs, path::Path, time::SystemTime};

use cargo_metadata::semver::Version;

use crate::{command::Invocation, error::Error, repository::Repository};
use needs::Need;

/// The cargo-deny that is installed when there is none, or only an older one.
const CARGO_DENY: Version = Version::new(0, 20, 2);

/// The npm packages of the interoperability test.
const NODE_FOLDER: &str = "tests/node";

/// Parts of the Rust toolchain: the program that shows that it is there, and rustup's name for it.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// How much to look after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What the tests start and load.
    Tests,
    /// That, and what the other checks need.
    Everything,
}

/// Installs what is missing; quick, and without network, when nothing is.
pub(crate) fn run(repository: &Repository, scope: Scope) -> Result<(), Error> {
    debian::install(repository, &Need::missing())?;
    node_packages(repository)?;
    if scope == Scope::Everything {
        components(repository)?;
        cargo_deny(repository)?;
    }
    Ok(())
}

fn node_packages(repository: &Repository) -> Result<(), Error> {
    let folder = repository.root().join(NODE_FOLDER);
    if !folder.join("package-lock.json").is_file() || node_packages_are_fresh(&folder) {
        return Ok(());
    }
    println!("installing the npm packages of {NODE_FOLDER}");
    Invocation::new("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .with_folder(NODE_FOLDER)
        .run(repository)
}

/// True when npm finished an installation after the lock file last changed.
fn node_packages_are_fresh(folder: &Path) -> bool {
    let changed =
        |file: &str| -> Option<SystemTime> { fs::metadata(folder.join(file)).ok()?.modified().ok() };
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(locked)) => installed >= locked,
        _ => false,
    }
}

fn components(repository: &Repository) -> Result<(), Error> {
    for (command, component) in COMPONENTS {
        if Invocation::cargo([command, "--version"]).probe(repository).is_none() {
            println!("installing with rustup: {component}");
            Invocation::new("rustup", ["component", "add", component]).run(repository)?;
        }
    }
    Ok(())
}

fn cargo_deny(repository: &Repository) -> Result<(), Error> {
    let present = Invocation::cargo(["deny", "--version"]).probe(repository);
    if present.as_deref().and_then(version).is_some_and(|version| version >= CARGO_DENY) {
        return Ok(());
    }
    println!("installing with cargo: cargo-deny {CARGO_DENY} (takes some minutes, once)");
    // A tool is not part of the build: it shares no folder with it, and optimising it to the last instruction
    // takes longer than it will ever run.
    Invocation::cargo(["install", "--quiet", "--locked", &format!("cargo-deny@{CARGO_DENY}")])
        .with_env("CARGO_PROFILE_RELEASE_LTO", "off")
        .with_env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .with_env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .without_env("CARGO_TARGET_DIR")
        .run(repository)
}

/// The version in what `cargo deny --version` prints: `cargo-deny 0.20.2`.
fn version(line: &str) -> Option<Version> {
    line.split_whitespace().find_map(|word| Version::parse(word).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_a_tool() {
        assert_eq!(version("cargo-deny 0.20.2\n"), Some(CARGO_DENY));
        assert!(version("cargo-deny 0.9.0").is_some_and(|version| version < CARGO_DENY));
        assert_eq!(version("cargo-deny"), None);
    }
}
