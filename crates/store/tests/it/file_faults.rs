//! Files that are damaged, foreign, or not what they should be: refused with the cause, and overwritten.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use soticket_core::store::{Saved, StoreErrorKind, TicketStore as _};
use soticket_store::{FileStore, MAX_RECORD_SIZE};

use crate::support::{file_store, other_store_key, record, seen, store_key, ticket_key};

fn file_of(folder: &Path, number: u32) -> PathBuf {
    let name = ticket_key(number).to_string();
    folder.join("tickets").join(&name[..2]).join(format!("{name}.ticket"))
}

/// Loading is refused for a cause that has `word`; then the record is overwritten, with a fence however low.
async fn is_refused_and_overwritten(store: &FileStore, word: &str) {
    let key = ticket_key(1);
    let error = store.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreadable, "{error}");
    assert!(error.to_string().contains(word) && error.to_string().contains(&key.to_string()), "{error}");
    store.remove(&key, record(1, "").fence).await.unwrap();
    assert!(store.lease(&key).await.unwrap().is_some());
    assert_eq!(store.save(&key, &record(0, "anew")).await.unwrap(), Saved::Kept);
    assert_eq!(seen(store.load(&key).await.unwrap()), Some((0, "anew".to_owned())));
}

#[tokio::test]
async fn every_truncation_and_every_flipped_bit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (file_store(folder.path()), file_of(folder.path(), 1));
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    let whole = fs::read(&file).unwrap();
    let truncated = (0..whole.len()).map(|length| whole[..length].to_vec());
    let flipped = (0..8 * whole.len()).map(|bit| {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    for bytes in truncated.chain(flipped) {
        fs::write(&file, &bytes).unwrap();
        let error = store.load(&ticket_key(1)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unreadable, "{bytes:?}");
    }
    is_refused_and_overwritten(&store, "damaged").await;
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (file_store(folder.path()), file_of(folder.path(), 1));
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    for (contents, word) in [
        (b"# a shopping list".to_vec(), "not a record of soticket"),
        (vec![0; MAX_RECORD_SIZE + 1], "65536 bytes"),
        (Vec::new(), "damaged"),
        (b"SOTK\x09 from the future".to_vec(), "another version"),
    ] {
        fs::write(&file, contents).unwrap();
        is_refused_and_overwritten(&store, word).await;
    }
}

#[tokio::test]
async fn a_record_of_another_tenant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(folder.path());
    store.save(&ticket_key(1), &record(7, "mine")).await.unwrap();
    store.save(&ticket_key(2), &record(9, "another tenant's")).await.unwrap();
    fs::copy(file_of(folder.path(), 2), file_of(folder.path(), 1)).unwrap();
    is_refused_and_overwritten(&store, "damaged").await;
}

#[tokio::test]
async fn a_record_under_another_key_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let other = FileStore::open(folder.path().join("tickets"), other_store_key()).unwrap();
    other.save(&ticket_key(1), &record(u64::MAX, "under another key")).await.unwrap();
    is_refused_and_overwritten(&file_store(folder.path()), "with another key").await;
}

#[tokio::test]
async fn a_symbolic_link_is_not_followed_and_its_target_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (file_store(folder.path()), file_of(folder.path(), 1));
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    let target = folder.path().join("target");
    fs::rename(&file, &target).unwrap();
    symlink(&target, &file).unwrap();
    let before = fs::read(&target).unwrap();
    is_refused_and_overwritten(&store, "symbolic link").await;
    assert_eq!(fs::read(&target).unwrap(), before);
    assert!(fs::symlink_metadata(&file).unwrap().is_file());
}

#[tokio::test]
async fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (file_store(folder.path()), file_of(folder.path(), 1));
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    is_refused_and_overwritten(&store, "not a regular file").await;
}

#[tokio::test]
async fn a_process_suspended_in_the_middle_of_a_change_is_told_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(folder.path());
    store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap();
    let lock = fs::File::open(file_of(folder.path(), 1).with_file_name("lock")).unwrap();
    lock.lock().unwrap();
    let error = store.save(&ticket_key(1), &record(8, "another")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("suspended"), "{error}");
    assert_eq!(seen(store.load(&ticket_key(1)).await.unwrap()), Some((7, "a ticket".to_owned())));
    lock.unlock().unwrap();
    assert_eq!(store.save(&ticket_key(1), &record(8, "another")).await.unwrap(), Saved::Kept);
}

#[tokio::test]
async fn a_folder_in_a_record_s_place_is_told_and_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (file_store(folder.path()), file_of(folder.path(), 1));
    fs::create_dir_all(&file).unwrap();
    let error = store.save(&ticket_key(1), &record(7, "a ticket")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(std::error::Error::source(&error).is_some() && file.is_dir());
}

#[test]
fn a_folder_that_others_may_write_in_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o770, 0o702, 0o1777] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = FileStore::open(folder.path(), store_key()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        assert!(
            error.to_string().contains(&format!("{mode:04o}")) && error.to_string().contains("chmod go-w")
        );
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    FileStore::open(folder.path(), store_key()).unwrap();
}

#[test]
fn a_file_in_the_folder_s_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    for path in [path.clone(), path.join("below")] {
        let error = FileStore::open(&path, store_key()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        assert!(error.to_string().contains("file"));
    }
}

#[tokio::test]
async fn what_is_made_is_for_its_user_alone_and_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(folder.path());
    store.save(&ticket_key(1), &record(7, "hunter2")).await.unwrap();
    let _lease = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    let mut left = vec![folder.path().join("tickets")];
    let mut files = 0;
    while let Some(path) = left.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", path.display());
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files += 1;
            assert!(!fs::read(&path).unwrap().windows(7).any(|window| window == b"hunter2"));
        }
    }
    assert_eq!(files, 3, "a record, a lease and a lock");
    assert!(!format!("{store:?}").contains("0001"));
}
