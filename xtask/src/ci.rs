//! The chores `ci` and `test`: what a change has to pass, step by step.

use std::env;

use cargo_metadata::camino::Utf8Path;

use crate::{
    command::Invocation,
    error::Error,
    features, fuzz, kms,
    python::ZEEP,
    repository::Repository,
    setup, softhsm,
    steps::{Action, Step},
};

/// Warnings as errors; for the whole of a compilation only where that rebuilds no dependency.
const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// The program that tests and benchmarks start.
pub(crate) const PROGRAM: &str = "soticket";

/// How long each fuzz target runs: enough to see that it does, and that what it begins with passes.
const FUZZ_SECONDS: u32 = 5;

/// Tells the tests which Python has zeep.
const ZEEP_VARIABLE: &str = "SOTICKET_TEST_ZEEP";

/// Tells them where it was built; without it, they build it.
pub(crate) const PROGRAM_VARIABLE: &str = "SOTICKET_BINARY";

/// Every package of the workspace with every feature on, so that all steps share what they built.
const WHOLE_WORKSPACE: [&str; 2] = ["--workspace", "--all-features"];

/// Everything but benchmarks, which clippy looks at, and doctests, which cargo runs by themselves only.
pub(crate) const TEST_TARGETS: [&str; 4] = ["--lib", "--bins", "--tests", "--examples"];

/// The module of those tests of which [`CertificateTests`] speaks.
const CERTIFICATE_TESTS: &str = "real_certificates";

/// Whether the tests run that need SuperOffice's certificates. Every other ignored test does: what it needs, `setup`
/// has installed and [`softhsm`] has built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateTests {
    Run,
    LeaveOut,
}

impl CertificateTests {
    /// The certificates are not ours to publish: where they lie beside the checkout, or are named, the tests run;
    /// in CI they run whatever is there, and fail without.
    fn here(repository: &Repository) -> Self {
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
            Self::LeaveOut => &["--", "--include-ignored", "--skip", CERTIFICATE_TESTS],
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
    steps.extend([
        Step::new("kryoptic", softhsm::build_kryoptic(&workspace.target_directory)),
        Step::new("build", build()),
        // The tokens and stand-ins are gone when it ends, so that its own command could not be repeated.
        Step::new("tests", Action::Own("test", |repository| tests(repository, &[]))),
        Step::new("doctests", doctests(&[])),
    ]);
    steps.push(Step::new("documentation", documentation()));
    steps.push(Step::new("fuzz", Action::Own("fuzz", |repository| fuzz::run(repository, FUZZ_SECONDS))));
    Ok(steps)
}

/// All tests, then all doctests, of those whose names contain one of `filter`; before them, what they need.
pub(crate) fn test(repository: &Repository, filter: &[String]) -> Result<(), Error> {
    setup::run(repository, setup::Scope::Tests)?;
    softhsm::build_kryoptic(&repository.workspace()?.target_directory).run(repository)?;
    build().run(repository)?;
    tests(repository, filter)?;
    doctests(filter).run(repository)
}

/// The tests without the doctests.
fn tests(repository: &Repository, filter: &[String]) -> Result<(), Error> {
    let target_directory = repository.workspace()?.target_directory;
    let command = test_command(&target_directory, CertificateTests::here(repository), filter);
    let command = command.with_args(kms::WITHOUT_REAL_AWS);
    let (tokens, doubles) =
        (softhsm::Tokens::new(&target_directory)?, kms::Doubles::start(repository, &target_directory)?);
    let command =
        command.with_env(ZEEP_VARIABLE, ZEEP.python(repository, &target_directory)?.to_string_lossy());
    command.announce();
    doubles.around(tokens.around(command)).run(repository)
}

/// `cargo test` builds a program only for the tests of its own package, and those of other packages start it too.
/// Built together with the tests, it is built from the same artefacts.
fn build() -> Invocation {
    Invocation::cargo(["build"]).with_args(WHOLE_WORKSPACE).with_args(TEST_TARGETS)
}

fn test_command(
    target_directory: &Utf8Path,
    certificates: CertificateTests,
    filter: &[String],
) -> Invocation {
    Invocation::cargo(["test"])
        .with_args(WHOLE_WORKSPACE)
        .with_args(TEST_TARGETS)
        .with_args(certificates.arguments().iter().copied())
        .with_args(filter.to_vec())
        .with_env(PROGRAM_VARIABLE, target_directory.join("debug").join(PROGRAM))
}

fn doctests(filter: &[String]) -> Invocation {
    let doctests = Invocation::cargo(["test"]).with_args(WHOLE_WORKSPACE).with_args(["--doc"]);
    if filter.is_empty() { doctests } else { doctests.with_args(["--"]).with_args(filter.to_vec()) }
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
    fn ignored_tests_run_and_ignored_examples_do_not() {
        let tests = test_command("/w/target".into(), CertificateTests::Run, &[]).to_string();
        assert!(tests.starts_with("SOTICKET_BINARY=/w/target/debug/soticket cargo test "), "{tests}");
        assert!(tests.ends_with(" -- --include-ignored"), "{tests}");
        assert_eq!(doctests(&[]).to_string(), "cargo test --workspace --all-features --doc");
    }

    #[test]
    fn without_certificates_only_what_needs_them_is_left_out() {
        let tests = test_command("/w/target".into(), CertificateTests::LeaveOut, &[]).to_string();
        assert!(tests.ends_with(" -- --include-ignored --skip real_certificates"), "{tests}");
        let module = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/real_certificates.rs");
        assert!(std::path::Path::new(module).is_file(), "the tests are no longer in {module}");
    }

    #[test]
    fn a_filter_reaches_the_tests_and_not_cargo() {
        let filter = ["jwt".to_owned()];
        let tests = test_command("/w/target".into(), CertificateTests::LeaveOut, &filter).to_string();
        assert!(tests.ends_with(" real_certificates jwt"), "{tests}");
        let doctests = doctests(&filter).to_string();
        assert!(doctests.ends_with("--doc -- jwt"), "{doctests}");
    }
}
