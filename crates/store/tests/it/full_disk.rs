//! A disk without room: told as such, and what was kept before still is.

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

#[tokio::test]
async fn a_full_disk_is_told_and_takes_nothing_away() {
    fn here() {}
    if let Some(folder) = folder_of_parent() {
        return fill(&folder).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = with_small_disk(&this_test(test_path(here), folder.path())).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
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
