//! Secrets on the command line: refused before it is parsed, since a parser's own message would repeat them.

use std::ffi::OsString;

use crate::failure::Failure;

/// Flags that somebody might try, of which none exists.
const SECRET_FLAGS: [&str; 10] = [
    "--client-secret",
    "--application-token",
    "--system-user-token",
    "--signed-token",
    "--key-passphrase",
    "--new-key-passphrase",
    "--passphrase",
    "--pin",
    "--store-key",
    "--store-password",
];

/// The flag whose value may be a URL with a password.
const STORE_FLAG: &str = "--store";

/// Refuses the arguments that hold a secret.
pub(crate) fn refuse(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let mut is_store = false;
    for argument in arguments.take_while(|argument| argument != "--") {
        let argument = argument.to_string_lossy();
        let (flag, value) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (&*argument, None),
        };
        let store = if is_store { Some(&*argument) } else { value.filter(|_| flag == STORE_FLAG) };
        if store.is_some_and(has_password) {
            return Err(Failure::configuration(
                "the URL of --store holds a password, which every user of this machine can read on the command \
                 line; put the URL into SOTICKET_STORE or a file for --store-url-file, and consider this one known",
            ));
        }
        is_store = argument == STORE_FLAG;
        if SECRET_FLAGS.contains(&flag) {
            return Err(Failure::configuration(format!(
                "`{flag}` does not exist: every user of this machine can read the command line; give secrets by \
                 the environment, a file or a prompt, and consider this one known"
            )));
        }
    }
    Ok(())
}

/// Whether a URL has a password: something behind a colon, before the last `@` of its authority. Says so rather once
/// too often.
pub(crate) fn has_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    rest.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
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
    fn a_password_in_the_url_of_a_store_is_refused_and_never_repeated() {
        assert!(is_refused(&["ticket", "--store", "redis://:hunter2@cache:6379/0"]));
        assert!(is_refused(&["ticket", "--store=rediss://user:hunter2@cache"]));
        assert!(is_refused(&["ticket", "--store", "rediss://user:hunt/er2@cache"]));
        let failure = refuse(["--store=redis://:hunter2@h".into()].into_iter()).unwrap_err();
        assert!(!failure.lines().concat().contains("hunter2"));
        for fine in ["rediss://cache:6380/1", "rediss://user@cache", "tickets", "a:b@c"] {
            assert!(!is_refused(&["ticket", "--store", fine, "--all"]), "{fine}");
        }
    }

    #[test]
    fn flags_that_name_files_are_none_of_them() {
        assert!(!is_refused(&[
            "ticket",
            "--client-secret-file",
            "x",
            "--key-passphrase-file=-",
            "--store-key-file",
            "x"
        ]));
        assert!(!is_refused(&["key", "inspect", "--", "--pin"]), "behind `--` there are no flags");
    }
}
