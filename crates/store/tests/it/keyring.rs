//! The store key in the kernel's keyring. Each test has a session keyring of its own, as a login or systemd gives one.

use std::path::Path;
use std::process::Command;

use keyring_core::api::CredentialStoreApi as _;
use soticket_core::store::{StoreErrorKind, TicketStore as _};
use soticket_store::{FileStore, StoreKey};

use crate::support::{folder_of_parent, record, seen, test_path, this_test, ticket_key};

/// Runs the rest of `test` in a process with a session keyring, where this gives the folder that is shared with it.
fn with_session_keyring(test: &str) -> Option<std::path::PathBuf> {
    if let Some(folder) = folder_of_parent() {
        return Some(folder);
    }
    let folder = tempfile::tempdir().unwrap();
    run_with_session_keyring(test, folder.path());
    None
}

fn run_with_session_keyring(test: &str, folder: &Path) {
    let inner = this_test(test, folder);
    let mut keyctl = Command::new("keyctl");
    keyctl.args(["session", "-"]).arg(inner.get_program()).args(inner.get_args());
    keyctl.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = keyctl.output().unwrap_or_else(|error| {
        panic!("keyctl cannot be run ({error}); install it: `cargo xtask setup`, or Debian's `keyutils`")
    });
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The name of a key that nobody else has, which is taken away afterwards.
struct Name(String);

impl Name {
    fn new() -> Self {
        let random = StoreKey::generate().unwrap();
        Self(format!("soticket-test-{}", &random.to_secret_text().expose()[..12]))
    }

    fn entry(&self) -> keyring_core::Entry {
        linux_keyutils_keyring_store::Store::new().unwrap().build("soticket", &self.0, None).unwrap()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = self.entry().delete_credential();
    }
}

#[test]
fn a_key_is_made_once_and_found_again() {
    fn here() {}
    if with_session_keyring(test_path(here)).is_none() {
        return;
    }
    let name = Name::new();
    let text = |key: StoreKey| key.to_secret_text().expose().to_owned();
    let made = text(StoreKey::from_keyring(&name.0).unwrap());
    assert_eq!(text(StoreKey::from_keyring(&name.0).unwrap()), made);
    assert_ne!(text(StoreKey::from_keyring(&Name::new().0).unwrap()), made);
}

#[tokio::test]
async fn another_session_finds_the_same_key() {
    fn here() {}
    let Some(folder) = with_session_keyring(test_path(here)) else { return };
    let open =
        |name: &str| FileStore::open(folder.join("tickets"), StoreKey::from_keyring(name).unwrap()).unwrap();
    let name_file = folder.join("name");
    if let Ok(name) = std::fs::read_to_string(&name_file) {
        open(&name).save(&ticket_key(1), &record(7, "from another session")).await.unwrap();
        return;
    }
    let name = Name::new();
    std::fs::write(&name_file, &name.0).unwrap();
    let store = open(&name.0);
    run_with_session_keyring(test_path(here), &folder);
    let expected = Some((7, "from another session".to_owned()));
    assert_eq!(seen(store.load(&ticket_key(1)).await.unwrap()), expected);
}

#[test]
fn what_is_no_key_is_told_and_not_repeated_nor_replaced() {
    fn here() {}
    if with_session_keyring(test_path(here)).is_none() {
        return;
    }
    let name = Name::new();
    for contents in [&b"hunter2"[..], b"hunter2\xff"] {
        name.entry().set_secret(contents).unwrap();
        let error = StoreKey::from_keyring(&name.0).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        assert!(error.to_string().contains(&name.0), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(&format!("{contents:?}")), "{shown}");
        assert_eq!(name.entry().get_secret().unwrap(), contents);
    }
}
