//! Writers that are killed in the middle: a reader finds one whole record or the other.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::time::Duration;

use soticket_core::store::{Fence, Saved, TicketStore as _};

use crate::support::{file_store, folder_of_parent, record, seen, test_path, this_test, ticket_key};

/// What is written with `fence`: its length differs from one to the next, so that a mixture shows.
fn contents(fence: u64) -> String {
    format!("ticket {fence} ").repeat(usize::try_from(fence % 400).unwrap() + 1)
}

#[tokio::test]
async fn a_writer_killed_at_any_moment_leaves_a_whole_record() {
    fn here() {}
    if let Some(folder) = folder_of_parent() {
        return write_for_ever(&folder).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(folder.path());
    let mut last = 0;
    for round in 0..KILLS {
        let mut writer = this_test(test_path(here), folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("writing")), "the writer did not start");
        tokio::time::sleep(Duration::from_micros(round * 397)).await;
        writer.kill().unwrap();
        writer.wait().unwrap();
        let (fence, ticket) = seen(store.load(&ticket_key(1)).await.unwrap()).unwrap();
        assert_eq!(ticket, contents(fence));
        assert!(fence >= last, "{fence} after {last}");
        let lease = store.lease(&ticket_key(1)).await.unwrap().expect("a dead process holds no lease");
        assert!(lease.fence() > Fence(fence));
        lease.release().await.unwrap();
        last = fence;
    }
    // What the dead left is in nobody's way.
    assert_eq!(store.save(&ticket_key(1), &record(last + 1, "anew")).await.unwrap(), Saved::Kept);
}

async fn write_for_ever(folder: &std::path::Path) {
    let store = file_store(folder);
    let _lease = store.lease(&ticket_key(1)).await.unwrap().unwrap();
    let mut fence = seen(store.load(&ticket_key(1)).await.unwrap()).map_or(0, |(fence, _)| fence);
    loop {
        fence += 1;
        let saved = store.save(&ticket_key(1), &record(fence, &contents(fence))).await.unwrap();
        assert_eq!(saved, Saved::Kept);
        std::io::stdout().write_all(b"writing\n").unwrap();
    }
}

const KILLS: u64 = 60;
