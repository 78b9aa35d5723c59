//! The chores `ci` and `test`: what a change has to pass, step by step.

use std::env;

use cargo_metadata::camino::Utf8Path;

use crate::{
    command::Invocation,
    error::Error,
    features,
    repository::Repository,
    setup,
    steps::{Action, Step},
};

/// Warnings as errors; for the whole of a compilation only where that rebuilds no dependency.
const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// The program that tests and benchmarks start.
pub(crate) const PROGRAM: &str = "soticket";

/// Tells them where it was built; without it, they build it.
pub(crate) const PROGRAM_VARIABLE: &str = "SOTICKET_BINARY";

/// Every package of the workspace with every feature on, so that all steps share what they built.
const WHOLE_WORKSPACE: [&str; 2] = ["--workspace", "--all-features"];

/// Everything but benchmarks, which clippy looks at, and doctests, which cargo runs by themselves only.
const TEST_TARGETS: [&str; 4] = ["--lib", "--bins", "--tests", "--examples"];

/// Whether tests run that are ignored for what they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IgnoredTests {
    Run,
    LeaveOut,
}

impl IgnoredTests {
    /// What ignored tests need are SuperOffice's certificates, which are not ours to publish: where they lie
    /// beside the checkout, or are named, the tests run; in CI they run whatever is there, and fail without.
    pub(crate) fn here(repository: &Repository) -> Self {
        let named = ["CI", "SOTICKET_TEST_CERTIFICATES"].into_iter().any(|name| env::var_os(name).is_some());
        if named || repository.root().join("../shared/certificates").is_dir() {
            return Self::Run;
        }
        eprintln!(
            "note: tests that need SuperOffice's published certificates are left out; \
             SOTICKET_TEST_CERTIFICATES names a folder with them"
        );
        Self::LeaveOut
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Run => &["--", "--include-ignored"],
            Self::LeaveOut => &["--"],
        }
    }
}

/// Every step, the quick ones first.
pub(crate) fn steps(repository: &Repository) -> Result<Vec<Step>, Error> {
    let mut steps = vec![
        Step::new(
            "setup",
            Action::Own("setup", |repository| setup::run(repository, setup::Scope::Everything)),
        ),
        Step::new("format", Invocation::cargo(["fmt", "--all", "--", "--check"])),
        Step::new("tidy", Action::Own("tidy", crate::tidy::run)),
        Step::new("deny", deny()),
        Step::new("clippy", clippy()),
    ];
    let workspace = repository.workspace()?;
    let checks = features::checks(&workspace);
    steps.extend(checks.into_iter().map(|(name, check)| Step::new(name, check)));
    let names = ["build", "tests", "doctests"];
    steps.extend(
        names
            .into_iter()
            .zip(tests(&workspace.target_directory, IgnoredTests::here(repository), &[]))
            .map(|(name, test)| Step::new(name, test)),
    );
    steps.push(Step::new("documentation", documentation()));
    Ok(steps)
}

/// All tests, then all doctests, of those whose names contain one of `filter`; before them, what they start.
///
/// `cargo test` builds a program only for the tests of its own package, and those of other packages start it too.
/// Built together with the tests, it is built from the same artefacts.
pub(crate) fn tests(
    target_directory: &Utf8Path,
    ignored: IgnoredTests,
    filter: &[String],
) -> [Invocation; 3] {
    let build = Invocation::cargo(["build"]).with_args(WHOLE_WORKSPACE).with_args(TEST_TARGETS);
    let tests = Invocation::cargo(["test"])
        .with_args(WHOLE_WORKSPACE)
        .with_args(TEST_TARGETS)
        .with_args(ignored.arguments().iter().copied())
        .with_args(filter.to_vec())
        .with_env(PROGRAM_VARIABLE, target_directory.join("debug").join(PROGRAM));
    let doctests = Invocation::cargo(["test"]).with_args(WHOLE_WORKSPACE).with_args(["--doc"]);
    let doctests =
        if filter.is_empty() { doctests } else { doctests.with_args(["--"]).with_args(filter.to_vec()) };
    [build, tests, doctests]
}

fn clippy() -> Invocation {
    Invocation::cargo(["clippy", "--all-targets"]).with_args(WHOLE_WORKSPACE).with_args(DENY_WARNINGS)
}

fn deny() -> Invocation {
    // `--hide-inclusion-graph` keeps the warnings of crates that are there twice to a line each.
    Invocation::cargo(["deny", "--all-features", "check", "--hide-inclusion-graph"])
        .with_args(["licenses", "bans", "sources"])
}

fn documentation() -> Invocation {
    Invocation::cargo(["doc", "--no-deps"]).with_args(WHOLE_WORKSPACE).with_env("RUSTDOCFLAGS", "-D warnings")
}

#[cfg(test)]
mod tests_of_ci {
    use super::*;

    #[test]
    fn ignored_tests_run_where_what_they_need_is_there_and_ignored_examples_do_not() {
        let [_, tests, doctests] =
            tests("/w/target".into(), IgnoredTests::Run, &[]).map(|test| test.to_string());
        assert!(tests.starts_with("SOTICKET_BINARY=/w/target/debug/soticket cargo test "), "{tests}");
        assert!(tests.ends_with("-- --include-ignored"), "{tests}");
        assert_eq!(doctests, "cargo test --workspace --all-features --doc");
    }

    #[test]
    fn a_filter_reaches_the_tests_and_not_cargo() {
        let [_, tests, doctests] = tests("/w/target".into(), IgnoredTests::LeaveOut, &["jwt".to_owned()])
            .map(|test| test.to_string());
        assert!(tests.ends_with("-- jwt"), "{tests}");
        assert!(doctests.ends_with("--doc -- jwt"), "{doctests}");
    }
}
