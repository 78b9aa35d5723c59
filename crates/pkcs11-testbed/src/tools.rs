//! Programs that other people wrote, run to the end.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Runs a program, and gives its standard output.
///
/// # Panics
/// When it is missing or fails, with what it says.
pub(crate) fn run<A: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
    environment: &[(String, OsString)],
) -> Vec<u8> {
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
    let output = command.output().unwrap_or_else(|error| {
        panic!("{program} cannot be run ({error}): run `cargo xtask softhsm-test`, which installs it")
    });
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
