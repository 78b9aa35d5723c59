//! The tests of a chore that runs only those that need something special: whole packages, and of the tests that cross
//! crates those whose names say so.

use crate::{ci::TEST_TARGETS, command::Invocation, error::Error, repository::Repository};

/// Which tests need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needing {
    /// The packages whose tests are all about it.
    pub(crate) packages: &'static [&'static str],
    /// What the names of those tests that cross crates contain.
    pub(crate) word: &'static str,
}

/// The tests that cross crates.
const CROSSING: [&str; 5] = ["--package", CROSSING_PACKAGE, "--test", "it", "--all-features"];
const CROSSING_PACKAGE: &str = "soticket-tests";

impl Needing {
    /// The commands that run them, or those of them whose names contain one of `filter`, if it has any.
    pub(crate) fn tests(&self, repository: &Repository, filter: &[String]) -> Result<Vec<Invocation>, Error> {
        let crossing = self.crossing(repository, filter)?;
        Ok([Some(self.of_packages(filter)), crossing.map(by_name)].into_iter().flatten().collect())
    }

    fn of_packages(&self, filter: &[String]) -> Invocation {
        Invocation::cargo(["test"])
            .with_args(self.packages.iter().flat_map(|package| ["--package", package]))
            .with_args(["--all-features"])
            .with_args(TEST_TARGETS)
            .with_args(["--", "--include-ignored"])
            .with_args(filter.to_vec())
    }

    /// The names of the crossing tests to run, if there are any. The test harness runs what one of its filters matches
    /// and knows no way to ask for two at once, so they are matched here.
    fn crossing(&self, repository: &Repository, filter: &[String]) -> Result<Option<Vec<String>>, Error> {
        let list = Invocation::cargo(["test", "--quiet"]).with_args(CROSSING);
        let list = list.with_args(["--", "--list", "--format", "terse", self.word]);
        list.announce();
        let names = matching(&String::from_utf8_lossy(&list.output(repository)?), filter);
        match (names.is_empty(), filter.is_empty()) {
            (true, true) => Err(Error::NoTests { package: CROSSING_PACKAGE, word: self.word }),
            (true, false) => Ok(None),
            (false, _) => Ok(Some(names)),
        }
    }
}

/// `cargo test` builds a program only for the tests of its own package.
pub(crate) fn build_program() -> Invocation {
    Invocation::cargo(["build", "--package", "soticket-cli", "--all-features"])
}

fn by_name(names: Vec<String>) -> Invocation {
    Invocation::cargo(["test"])
        .with_args(CROSSING)
        .with_args(["--", "--include-ignored", "--exact"])
        .with_args(names)
}

/// The tests in what the harness lists, one in a line like `hsm::rotation: test`.
fn matching(list: &str, filter: &[String]) -> Vec<String> {
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    names
        .filter(|name| filter.is_empty() || filter.iter().any(|word| name.contains(word)))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "hsm::rotation::to_a_new_key: test\nhsm::sign: test\nhsm::speed: benchmark\n";
    const HSM: Needing =
        Needing { packages: &["soticket-signer-pkcs11", "soticket-pkcs11-testbed"], word: "hsm" };

    #[test]
    fn a_filter_narrows_the_tests_that_cross_crates() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(matching(LIST, &[]), ["hsm::rotation::to_a_new_key", "hsm::sign"]);
        assert_eq!(matching(LIST, &words(&["new_key"])), ["hsm::rotation::to_a_new_key"]);
        assert_eq!(matching(LIST, &words(&["sign", "rotation"])).len(), 2);
        assert_eq!(matching(LIST, &words(&["jwt"])), [""; 0]);
    }

    #[test]
    fn a_filter_reaches_the_tests_and_not_cargo() {
        let packages = HSM.of_packages(&["login".to_owned()]).to_string();
        assert!(packages.starts_with("cargo test --package soticket-signer-pkcs11 --package "), "{packages}");
        assert!(packages.ends_with(" -- --include-ignored login"), "{packages}");
        let crossing = by_name(vec!["hsm::sign".to_owned()]).to_string();
        assert!(crossing.ends_with(" -- --include-ignored --exact hsm::sign"), "{crossing}");
    }

    #[test]
    fn ignored_examples_of_the_documentation_do_not_run() {
        assert!(HSM.of_packages(&[]).to_string().contains(" --lib "));
    }
}
