//! What is left behind, and taken away.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use soticket_core::jiff::SignedDuration;
use soticket_core::store::{Record, TicketStore as _};
use soticket_core::{Clock as _, SystemClock};

use crate::support::{file_store, from_now, record, ticket_key};

/// How many files there are with this ending.
fn count(folder: &Path, ending: &str) -> usize {
    let shelves = fs::read_dir(folder.join("tickets")).unwrap();
    let files = shelves.flat_map(|shelf| fs::read_dir(shelf.unwrap().path()).unwrap());
    files
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|there| there == ending))
        .count()
}

fn leave_behind(path: &Path, age: Duration) {
    let file = File::create(path).unwrap();
    file.set_modified(std::time::SystemTime::try_from(SystemClock.now()).unwrap() - age).unwrap();
}

#[tokio::test]
async fn ended_records_are_purged_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(folder.path());
    for number in 0..30 {
        let ends = from_now(SignedDuration::from_secs(if number % 3 == 0 { -1 } else { 60 }));
        store.save(&ticket_key(number), &Record { ends, ..record(1, "a ticket") }).await.unwrap();
    }
    assert_eq!(store.purge_ended().await.unwrap(), 10);
    assert_eq!(store.purge_ended().await.unwrap(), 0);
    assert_eq!(count(folder.path(), "ticket"), 20);
    for number in 0..30 {
        assert_eq!(store.load(&ticket_key(number)).await.unwrap().is_some(), number % 3 != 0);
    }
}

#[tokio::test]
async fn temporaries_of_dead_processes_go_and_those_of_the_living_stay() {
    let folder = tempfile::tempdir().unwrap();
    let name = ticket_key(1).to_string();
    let shelf = folder.path().join("tickets").join(&name[..2]);
    file_store(folder.path()).save(&ticket_key(1), &record(1, "a ticket")).await.unwrap();
    leave_behind(&shelf.join(format!("{name}.0123.tmp")), Duration::from_secs(3_600));
    leave_behind(&shelf.join(format!("{name}.4567.tmp")), Duration::from_secs(5));
    file_store(folder.path()).save(&ticket_key(1), &record(2, "a ticket")).await.unwrap();
    assert_eq!(count(folder.path(), "tmp"), 1, "swept by the first save of a process");
    leave_behind(&shelf.join(format!("{name}.0123.tmp")), Duration::from_secs(3_600));
    file_store(folder.path()).purge_ended().await.unwrap();
    assert_eq!(count(folder.path(), "tmp"), 1, "swept by purging");
}

#[tokio::test]
async fn leases_leave_nothing_when_released_and_are_purged_when_abandoned() {
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(folder.path());
    let held = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    drop(store.lease(&ticket_key(2)).await.unwrap().unwrap());
    store.lease(&ticket_key(3)).await.unwrap().unwrap().release().await.unwrap();
    assert_eq!(count(folder.path(), "lease"), 2);
    store.purge_ended().await.unwrap();
    assert_eq!(count(folder.path(), "lease"), 1);
    assert!(store.lease(&ticket_key(1)).await.unwrap().is_none());
    held.release().await.unwrap();
    assert_eq!(count(folder.path(), "lease"), 0);
    assert!(store.lease(&ticket_key(1)).await.unwrap().is_some());
}
