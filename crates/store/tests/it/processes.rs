//! Several processes at once: one lease, fences that rise, and nobody's record lost to an older one.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use soticket_core::store::{Saved, TicketStore as _};

use crate::support::{file_store, folder_of_parent, record, seen, test_path, this_test, ticket_key};

#[tokio::test]
async fn processes_take_turns_and_their_fences_rise() {
    fn here() {}
    if let Some(folder) = folder_of_parent() {
        return take_turns(&folder).await;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log"), "").unwrap();
    let start = || this_test(test_path(here), folder.path()).stdout(Stdio::null()).spawn().unwrap();
    let mut processes = [start(), start(), start()];
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    // Each holder wrote its fence when it got the lease and again before it gave it back, to a file that is appended to.
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    let fences: Vec<u64> = log.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(fences.len(), 2 * TURNS * processes.len());
    assert!(fences.chunks(2).all(|turn| turn[0] == turn[1]), "two had the lease at once");
    assert!(fences.chunks(2).is_sorted_by(|one, next| one[0] < next[0]), "a fence did not rise");
    let last = seen(file_store(folder.path()).load(&ticket_key(1)).await.unwrap()).unwrap().0;
    assert_eq!(Some(&last), fences.last());
}

async fn take_turns(folder: &Path) {
    let store = file_store(folder);
    let mut log = OpenOptions::new().append(true).open(folder.join("log")).unwrap();
    for _ in 0..TURNS {
        let lease = loop {
            if let Some(lease) = store.lease(&ticket_key(1)).await.unwrap() {
                break lease;
            }
            tokio::task::yield_now().await;
        };
        let fence = lease.fence().0;
        log.write_all(format!("{fence}\n").as_bytes()).unwrap();
        assert_eq!(store.save(&ticket_key(1), &record(fence, "a ticket")).await.unwrap(), Saved::Kept);
        log.write_all(format!("{fence}\n").as_bytes()).unwrap();
        lease.release().await.unwrap();
    }
}

#[tokio::test]
async fn of_many_writers_without_a_lease_the_highest_fence_wins() {
    fn here() {}
    if let Some(folder) = folder_of_parent() {
        return write_all_fences(&folder).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let start = || this_test(test_path(here), folder.path()).stdout(Stdio::null()).spawn().unwrap();
    let mut processes = [start(), start(), start()];
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    let last = seen(file_store(folder.path()).load(&ticket_key(1)).await.unwrap()).unwrap();
    assert_eq!(last, (WRITES, WRITES.to_string()));
}

async fn write_all_fences(folder: &Path) {
    let store = file_store(folder);
    let mut highest = 0;
    for fence in 1..=WRITES {
        let saved = store.save(&ticket_key(1), &record(fence, &fence.to_string())).await.unwrap();
        let (there, contents) = seen(store.load(&ticket_key(1)).await.unwrap()).unwrap();
        assert_eq!(contents, there.to_string());
        assert!(there >= highest && there >= fence, "{there} after {highest}, {saved:?} {fence}");
        highest = there;
    }
}

const TURNS: usize = 40;
const WRITES: u64 = 200;
