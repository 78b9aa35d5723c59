//! Secrets on the command line: refused before it is parsed, since a parser's own message would repeat them.

use std::ffi::OsString;

use crate::failure::Failure;

/// Flags that somebody might try, of which none exists.
const SECRET_FLAGS: [&str; 8] = [
    "--client-secret",
    "--application-token",
    "--system-user-token",
    "--signed-token",
    "--key-passphrase",
    "--new-key-passphrase",
    "--passphrase",
    "--pin",
];

/// Refuses the arguments that hold a secret.
pub(crate) fn refuse(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    for argument in arguments.take_while(|argument| argument != "--") {
        let argument = argument.to_string_lossy();
        let flag = argument.split('=').next().unwrap_or_default();
        if SECRET_FLAGS.contains(&flag) {
            return Err(Failure::configuration(format!(
                "`{flag}` does not exist: every user of this machine can read the command line; give secrets by \
                 the environment, a file or a prompt, and consider this one known"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(arguments: &[&str]) -> bool {
        refuse(arguments.iter().map(OsString::from)).is_err()
    }

    #[test]
    fn a_secret_is_refused_in_either_form_and_never_repeated() {
        assert!(is_refused(&["ticket", "--client-secret", "hunter2"]));
        assert!(is_refused(&["key", "inspect", "--passphrase=hunter2"]));
        let failure = refuse(["--pin=1234".into()].into_iter()).unwrap_err();
        assert!(!failure.lines().concat().contains("1234"));
    }

    #[test]
    fn flags_that_name_files_are_none_of_them() {
        assert!(!is_refused(&["ticket", "--client-secret-file", "x", "--key-passphrase-file=-"]));
        assert!(!is_refused(&["key", "inspect", "--", "--pin"]), "behind `--` there are no flags");
    }
}
