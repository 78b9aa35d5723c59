//! The chore `softhsm-test`: the tests that need PKCS#11 tokens, and by themselves nothing else.

mod kryoptic;
mod tokens;

use crate::{
    chore_tests::{Needing, build_program},
    ci::{PROGRAM, PROGRAM_VARIABLE},
    error::Error,
    repository::Repository,
    setup,
};
pub(crate) use kryoptic::build as build_kryoptic;
pub(crate) use tokens::Tokens;

const TESTS: Needing =
    Needing { packages: &["soticket-signer-pkcs11", "soticket-pkcs11-testbed"], word: "hsm" };

/// Installs and builds what is missing, then runs the tests whose names contain one of `filter`, if it has any.
pub(crate) fn run(repository: &Repository, filter: &[String]) -> Result<(), Error> {
    setup::run(repository, setup::Scope::Tests)?;
    let target_directory = repository.workspace()?.target_directory;
    for build in [build_kryoptic(&target_directory), build_program()] {
        build.announce();
        build.run(repository)?;
    }
    let program = target_directory.join("debug").join(PROGRAM);
    let tests = TESTS.tests(repository, filter)?;
    let tokens = Tokens::new(&target_directory)?;
    tests.into_iter().try_for_each(|tests| {
        let tests = tests.with_env(PROGRAM_VARIABLE, program.as_str());
        tests.announce();
        tokens.around(tests).run(repository)
    })
}
