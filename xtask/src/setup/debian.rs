//! Packages of a Debian or Ubuntu system, installed with apt-get.

use std::path::Path;

use super::needs::{LIBCLANG, Need, REDIS};
use crate::{
    command::{Invocation, find_program},
    error::Error,
    repository::Repository,
};

/// Packages that start a service, and what that is called. The tests start what they need themselves, with nobody else's data.
const SERVICES: [(&str, &str); 1] = [(REDIS, "redis-server.service")];

/// There when systemd runs the system.
const SYSTEMD: &str = "/run/systemd/system";

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
    let services = services(&packages);
    apt_get(root, ["install", "--quiet", "--yes", "--no-install-recommends"])
        .with_args(packages)
        .run(repository)?;
    // Only those of packages that were not there before: others are somebody's.
    for service in services.into_iter().filter(|_| Path::new(SYSTEMD).is_dir()) {
        as_root(root, "systemctl", ["disable", "--now", service]).run(repository)?;
    }
    Ok(())
}

/// The services that these packages start.
fn services(packages: &[String]) -> Vec<&'static str> {
    let started = SERVICES.iter().filter(|(package, _)| packages.iter().any(|there| there == package));
    started.map(|(_, service)| *service).collect()
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
    as_root(root, "env", ["DEBIAN_FRONTEND=noninteractive", "apt-get"]).with_args(args)
}

fn as_root<const N: usize>(root: bool, program: &str, args: [&str; N]) -> Invocation {
    if root { Invocation::new(program, args) } else { Invocation::new("sudo", [program]).with_args(args) }
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
    fn a_service_is_stopped_only_when_its_package_was_missing() {
        assert_eq!(services(&["opensc".to_owned(), REDIS.to_owned()]), ["redis-server.service"]);
        assert!(services(&["opensc".to_owned()]).is_empty());
        let stop = as_root(false, "systemctl", ["disable", "--now", "redis-server.service"]);
        assert_eq!(stop.to_string(), "sudo systemctl disable --now redis-server.service");
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
