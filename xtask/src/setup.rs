//! The chore `setup`: what the tests need beyond cargo, installed where it is missing.

use std::{fs, path::Path, time::SystemTime};

use cargo_metadata::semver::Version;

use crate::{
    command::{Invocation, find_program},
    error::Error,
    repository::Repository,
};

/// The cargo-deny that is installed when there is none, or only an older one.
const CARGO_DENY: Version = Version::new(0, 20, 2);

/// The npm packages of the interoperability test.
const NODE_FOLDER: &str = "tests/node";

/// Programs that tests start, and the Debian packages that bring them. The C compiler that aws-lc-sys needs is
/// not among them: this program could not have been linked without one.
const PROGRAMS: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("openssl", "openssl"),
    ("unshare", "util-linux"),
];

/// Parts of the Rust toolchain: the program that shows that it is there, and rustup's name for it.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// How much to look after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What the tests start.
    Tests,
    /// That, and what the other checks need.
    Everything,
}

/// Installs what is missing; quick, and without network, when nothing is.
pub(crate) fn run(repository: &Repository, scope: Scope) -> Result<(), Error> {
    programs(repository)?;
    node_packages(repository)?;
    if scope == Scope::Everything {
        components(repository)?;
        cargo_deny(repository)?;
    }
    Ok(())
}

fn programs(repository: &Repository) -> Result<(), Error> {
    let missing: Vec<_> = PROGRAMS.into_iter().filter(|(name, _)| find_program(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = |side: fn(&(&str, &str)) -> String| missing.iter().map(side).collect::<Vec<_>>();
    let packages = names(|(_, package)| (*package).to_owned());
    if find_program("apt-get").is_none() {
        return Err(Error::NoPackageManager { programs: names(|(name, _)| (*name).to_owned()), packages });
    }
    println!("installing with apt-get: {}", packages.join(" "));
    let root = Invocation::new("id", ["-u"]).probe(repository).is_some_and(|id| id.trim() == "0");
    apt_get(root, ["update", "--quiet"]).run(repository)?;
    apt_get(root, ["install", "--quiet", "--yes", "--no-install-recommends"])
        .with_args(packages)
        .run(repository)
}

fn apt_get<const N: usize>(root: bool, args: [&str; N]) -> Invocation {
    let command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if root {
        Invocation::new(command[0], command[1..].iter().copied())
    } else {
        Invocation::new("sudo", command)
    }
    .with_args(args)
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

    #[test]
    fn packages_are_installed_as_root_or_through_sudo() {
        let line = |root| apt_get(root, ["update"]).to_string();
        assert_eq!(line(true), "env DEBIAN_FRONTEND=noninteractive apt-get update");
        assert_eq!(line(false), "sudo env DEBIAN_FRONTEND=noninteractive apt-get update");
    }
}
