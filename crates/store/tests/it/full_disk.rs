//! A disk without room, or that cannot be written: told as such, and what was kept before still is.

use std::process::Command;

use soticket_core::store::{StoreErrorKind, TicketStore as _};

use crate::support::{
    file_store, folder_of_parent, record, seen, test_path, this_test, ticket_key, with_causes,
};

/// The test itself, once more, with a disk of a few pages in a mount namespace of its own.
fn with_small_disk(test: &Command) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-euc", MOUNT_AND_RUN, "sh"]);
    unshare.arg(test.get_program()).args(test.get_args());
    unshare.envs(test.get_envs().filter_map(|(name, value)| Some((name, value?))));
    unshare
}

const MOUNT_AND_RUN: &str =
    r#"mount -t tmpfs -o size=256k,mode=700 none "$SOTICKET_TEST_STORE_FOLDER"; exec "$@""#;

fn passes_with_small_disk(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = with_small_disk(&this_test(test, folder.path())).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_takes_nothing_away() {
    fn here() {}
    match folder_of_parent() {
        Some(folder) => fill(&folder).await,
        None => passes_with_small_disk(test_path(here)),
    }
}

#[tokio::test]
async fn a_read_only_disk_is_told_and_what_is_there_is_read() {
    fn here() {}
    match folder_of_parent() {
        Some(folder) => forbid_writing(&folder).await,
        None => passes_with_small_disk(test_path(here)),
    }
}

async fn forbid_writing(folder: &std::path::Path) {
    let store = file_store(folder);
    store.save(&ticket_key(1), &record(1, "a ticket")).await.unwrap();
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(folder).status().unwrap().success());
    for error in [
        store.save(&ticket_key(1), &record(2, "another")).await.unwrap_err(),
        store.remove(&ticket_key(1), record(1, "").fence).await.unwrap_err(),
        store.lease(&ticket_key(1)).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("read-only"), "{}", with_causes(&error));
    }
    // Also for a process that comes later.
    let expected = Some((1, "a ticket".to_owned()));
    assert_eq!(seen(file_store(folder).load(&ticket_key(1)).await.unwrap()), expected);
}

async fn fill(folder: &std::path::Path) {
    let store = file_store(folder);
    let ticket = "a long ticket ".repeat(1_000);
    let mut kept = 0;
    let error = loop {
        match store.save(&ticket_key(kept), &record(1, &ticket)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(kept > 3, "{}", with_causes(&error));
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let text = with_causes(&error);
    assert!(text.contains("make room") && text.contains("No space left"), "{text}");
    assert!(text.contains(&ticket_key(kept).to_string()), "{text}");
    // What does not fit any more leaves what was there, whole.
    store.save(&ticket_key(0), &record(2, &"another ticket ".repeat(3_000))).await.unwrap_err();
    for number in 0..kept {
        assert_eq!(seen(store.load(&ticket_key(number)).await.unwrap()), Some((1, ticket.clone())));
    }
    // Nothing is left of what failed: with one ticket gone there is room for one again.
    store.remove(&ticket_key(0), record(1, "").fence).await.unwrap();
    store.save(&ticket_key(1), &record(2, &ticket)).await.unwrap();
}
