//! The chore `softhsm-test`: the tests that need PKCS#11 tokens, and by themselves nothing else.

mod kryoptic;
mod scratch;

use cargo_metadata::camino::Utf8Path;

use crate::{
    ci::{PROGRAM, PROGRAM_VARIABLE, TEST_TARGETS},
    command::Invocation,
    error::Error,
    repository::Repository,
    setup,
};
pub(crate) use kryoptic::build as build_kryoptic;
use scratch::Scratch;

/// The packages whose tests are all about tokens.
const PACKAGES: [&str; 4] = ["--package", "soticket-signer-pkcs11", "--package", "soticket-pkcs11-testbed"];

/// The tests that cross crates, and what the names of those of them that need tokens contain.
const CROSSING: [&str; 5] = ["--package", "soticket-tests", "--test", "it", "--all-features"];
const CROSSING_FILTER: &str = "hsm";

/// Installs and builds what is missing, then runs the tests whose names contain one of `filter`, if it has any.
pub(crate) fn run(repository: &Repository, filter: &[String]) -> Result<(), Error> {
    setup::run(repository, setup::Scope::Tests)?;
    let target_directory = repository.workspace()?.target_directory;
    for build in [build_kryoptic(&target_directory), build_program()] {
        announce(&build);
        build.run(repository)?;
    }
    let crossing = crossing_tests(repository, filter)?;
    let tests = [Some(tests_of_packages(filter)), crossing.map(tests_by_name)].into_iter().flatten();
    let program = target_directory.join("debug").join(PROGRAM);
    let tests: Vec<_> =
        tests.map(|tests| tests.with_env(PROGRAM_VARIABLE, program.clone().into_string())).collect();
    with_tokens(repository, &target_directory, &tests)
}

/// Runs `tests` where they find kryoptic and no token but those that they make, which are gone afterwards.
pub(crate) fn with_tokens(
    repository: &Repository,
    target_directory: &Utf8Path,
    tests: &[Invocation],
) -> Result<(), Error> {
    let scratch = Scratch::new()?;
    let kryoptic = kryoptic::module(target_directory);
    println!("tokens, until the tests end: {}", scratch.path().display());
    tests.iter().try_for_each(|tests| {
        announce(tests);
        scratch.around(tests.clone()).with_env(kryoptic::VARIABLE, kryoptic.as_str()).run(repository)
    })
}

fn announce(command: &Invocation) {
    println!("running {command}");
}

/// `cargo test` builds a program only for the tests of its own package.
fn build_program() -> Invocation {
    Invocation::cargo(["build", "--package", "soticket-cli", "--all-features"])
}

fn tests_of_packages(filter: &[String]) -> Invocation {
    Invocation::cargo(["test"])
        .with_args(PACKAGES)
        .with_args(["--all-features"])
        .with_args(TEST_TARGETS)
        .with_args(["--", "--include-ignored"])
        .with_args(filter.to_vec())
}

fn tests_by_name(names: Vec<String>) -> Invocation {
    Invocation::cargo(["test"])
        .with_args(CROSSING)
        .with_args(["--", "--include-ignored", "--exact"])
        .with_args(names)
}

/// The names of the crossing tests to run, if there are any. The test harness runs what one of its filters matches
/// and knows no way to ask for two at once, so they are matched here.
fn crossing_tests(repository: &Repository, filter: &[String]) -> Result<Option<Vec<String>>, Error> {
    let list = Invocation::cargo(["test", "--quiet"]).with_args(CROSSING).with_args([
        "--",
        "--list",
        "--format",
        "terse",
        CROSSING_FILTER,
    ]);
    announce(&list);
    let names = matching(&String::from_utf8_lossy(&list.output(repository)?), filter);
    match (names.is_empty(), filter.is_empty()) {
        (true, true) => Err(Error::NoTests { package: "soticket-tests", word: CROSSING_FILTER }),
        (true, false) => Ok(None),
        (false, _) => Ok(Some(names)),
    }
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

    #[test]
    fn a_filter_narrows_the_tests_that_need_tokens() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(matching(LIST, &[]), ["hsm::rotation::to_a_new_key", "hsm::sign"]);
        assert_eq!(matching(LIST, &words(&["new_key"])), ["hsm::rotation::to_a_new_key"]);
        assert_eq!(matching(LIST, &words(&["sign", "rotation"])).len(), 2);
        assert_eq!(matching(LIST, &words(&["jwt"])), [""; 0]);
    }

    #[test]
    fn a_filter_reaches_the_tests_and_not_cargo() {
        let packages = tests_of_packages(&["login".to_owned()]).to_string();
        assert!(packages.ends_with(" -- --include-ignored login"), "{packages}");
        let crossing = tests_by_name(vec!["hsm::sign".to_owned()]).to_string();
        assert!(crossing.ends_with(" -- --include-ignored --exact hsm::sign"), "{crossing}");
    }

    #[test]
    fn ignored_examples_of_the_documentation_do_not_run() {
        assert!(tests_of_packages(&[]).to_string().contains(" --lib "));
    }
}
