//! Packages of a Debian or Ubuntu system, installed with apt-get.

use super::needs::{LIBCLANG, Need};
use crate::{
    command::{Invocation, find_program},
    error::Error,
    repository::Repository,
};

/// Installs what is missing; where there is no apt-get, an error names it.
pub(super) fn install(repository: &Repository, missing: &[Need]) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages = packages(missing);
    if find_program("apt-get").is_none() {
        return Err(Error::NoPackageManager {
            needs: missing.iter().map(|need| need.name.to_owned()).collect(),
            packages,
        });
    }
    let root = Invocation::new("id", ["-u"]).probe(repository).is_some_and(|id| id.trim() == "0");
    apt_get(root, ["update", "--quiet"]).run(repository)?;
    if packages.iter().any(|package| package == LIBCLANG) {
        let depends = Invocation::new("apt-cache", ["depends", LIBCLANG]).probe(repository);
        packages = with_small_libclang(packages, &depends.unwrap_or_default());
    }
    println!("installing with apt-get: {}", packages.join(" "));
    apt_get(root, ["install", "--quiet", "--yes", "--no-install-recommends"])
        .with_args(packages)
        .run(repository)
}

/// The packages that bring it, each once.
fn packages(missing: &[Need]) -> Vec<String> {
    let mut packages: Vec<_> = missing.iter().map(|need| need.package.to_owned()).collect();
    packages.sort();
    packages.dedup();
    packages
}

/// Instead of all that clang's own tools are built from, the library and its headers, in the version that the
/// release calls its own in `depends`; everything where that is not understood.
fn with_small_libclang(packages: Vec<String>, depends: &str) -> Vec<String> {
    let version = depends.split_whitespace().find_map(|word| {
        let version = word.strip_prefix("libclang-")?.strip_suffix("-dev")?;
        version.parse::<u32>().ok()
    });
    let Some(version) = version else { return packages };
    let small = [format!("libclang1-{version}"), format!("libclang-common-{version}-dev")];
    packages.into_iter().filter(|package| package != LIBCLANG).chain(small).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_as_root_or_through_sudo() {
        let line = |root| apt_get(root, ["update"]).to_string();
        assert_eq!(line(true), "env DEBIAN_FRONTEND=noninteractive apt-get update");
        assert_eq!(line(false), "sudo env DEBIAN_FRONTEND=noninteractive apt-get update");
    }

    #[test]
    fn of_libclang_only_the_library_and_its_headers_are_installed() {
        let packages = || vec![LIBCLANG.to_owned(), "opensc".to_owned()];
        assert_eq!(
            with_small_libclang(packages(), "libclang-dev\n  Depends: libclang-14-dev\n"),
            ["opensc", "libclang1-14", "libclang-common-14-dev"]
        );
        assert_eq!(with_small_libclang(packages(), ""), packages());
    }
}
