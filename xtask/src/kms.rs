//! The chore `kms-test`: the tests that need a stand-in for AWS KMS, and by themselves nothing else.

mod double;

use std::env;

use cargo_metadata::camino::Utf8Path;

use crate::{
    chore_tests::{Needing, build_program},
    ci::{PROGRAM, PROGRAM_VARIABLE},
    command::Invocation,
    error::Error,
    python::MINISTACK,
    repository::Repository,
    scratch::Scratch,
    setup,
};
use double::{Authorisation, Double};

const TESTS: Needing = Needing { packages: &["soticket-signer-aws-kms"], word: "kms" };

/// Installs and builds what is missing, then runs the tests whose names contain one of `filter`, if it has any.
pub(crate) fn run(repository: &Repository, filter: &[String]) -> Result<(), Error> {
    setup::run(repository, setup::Scope::Tests)?;
    let target_directory = repository.workspace()?.target_directory;
    let build = build_program();
    build.announce();
    build.run(repository)?;
    let program = target_directory.join("debug").join(PROGRAM);
    let tests = TESTS.tests(repository, filter)?;
    let doubles = Doubles::start(repository, &target_directory)?;
    tests.into_iter().try_for_each(|tests| {
        let tests = tests.with_args(WITHOUT_REAL_AWS);
        let tests = tests.with_env(PROGRAM_VARIABLE, program.as_str());
        tests.announce();
        doubles.around(tests).run(repository)
    })?;
    with_real_aws(repository)
}

/// The test against AWS itself, with the user's own settings, where somebody names a key for it.
fn with_real_aws(repository: &Repository) -> Result<(), Error> {
    if env::var_os(REAL_KEY).is_none() {
        eprintln!("note: the test against AWS itself is left out; {REAL_KEY} names a key for it");
        return Ok(());
    }
    let test = ["test", "--package", TESTS.packages[0], "--test", "it", "--", "--ignored", "real_aws"];
    let test = Invocation::cargo(test);
    test.announce();
    test.run(repository)
}

/// Names a key in AWS, as an `awskms:` URI.
const REAL_KEY: &str = "SOTICKET_TEST_AWS_KEY";

/// Stand-ins for AWS KMS on loopback, stopped when this is dropped, or with this process.
#[derive(Debug)]
pub(crate) struct Doubles {
    // Stopped before their folder goes.
    plain: Double,
    strict: Double,
    scratch: Scratch,
}

impl Doubles {
    /// Starts one that takes everybody for the account's owner, and one that looks at credentials and policies.
    pub(crate) fn start(repository: &Repository, target_directory: &Utf8Path) -> Result<Self, Error> {
        let python = MINISTACK.python(repository, target_directory)?;
        let scratch = Scratch::new()?;
        let plain = Double::start(&python, scratch.path(), Authorisation::Ignored)?;
        let strict = Double::start(&python, scratch.path(), Authorisation::Checked)?;
        println!("stand-ins for AWS KMS, until the tests end: {}, {}", plain.url(), strict.url());
        Ok(Self { plain, strict, scratch })
    }

    /// Makes what is run find them, and none of the user's own settings for AWS, nor a proxy: the SDK would ask that for
    /// what is on loopback too.
    pub(crate) fn around(&self, invocation: Invocation) -> Invocation {
        let invocation = invocation.with_env("SOTICKET_TEST_KMS", self.plain.url());
        let invocation = invocation.with_env("SOTICKET_TEST_KMS_AUTH", self.strict.url());
        let settings = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let settings = settings.filter(|name| name.starts_with("AWS_") || PROXIES.contains(&name.as_str()));
        let nowhere = |name: &str| self.scratch.path().join(name).to_string_lossy().into_owned();
        settings
            .fold(invocation, |invocation, name| invocation.without_env(&name))
            .with_env("AWS_EC2_METADATA_DISABLED", "true")
            .with_env("AWS_CONFIG_FILE", nowhere("no-config"))
            .with_env("AWS_SHARED_CREDENTIALS_FILE", nowhere("no-credentials"))
    }
}

/// Where plain HTTP goes to.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// What leaves out the one test against AWS itself, which nobody runs by accident.
pub(crate) const WITHOUT_REAL_AWS: [&str; 2] = ["--skip", "real_aws"];
