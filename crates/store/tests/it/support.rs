//! Keys and records, and tests that go on in processes of their own.

use std::any::type_name;
use std::path::Path;
use std::process::Command;

use soticket_core::jiff::{SignedDuration, Timestamp};
use soticket_core::store::{Fence, Record, StoreError, TicketKey};
use soticket_core::{Clock, SystemClock, Tenant};
use soticket_store::{FileStore, StoreKey};

/// The name of the `number`th tenant's tickets.
pub(crate) fn ticket_key(number: u32) -> TicketKey {
    let tenant = Tenant::new(format!("Cust{number}").parse().unwrap(), "App-Token".parse().unwrap());
    TicketKey::new(&"sod".parse().unwrap(), &"client-secret".parse().unwrap(), &tenant)
}

/// The same key in every process.
pub(crate) fn store_key() -> StoreKey {
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".parse().unwrap()
}

pub(crate) fn other_store_key() -> StoreKey {
    "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".parse().unwrap()
}

/// A record that ends in an hour. Its end is in whole microseconds, as stores keep it.
pub(crate) fn record(fence: u64, contents: &str) -> Record {
    let contents = contents.as_bytes().to_vec().into();
    Record { contents, fence: Fence(fence), ends: from_now(SignedDuration::from_hours(1)) }
}

pub(crate) fn from_now(time: SignedDuration) -> Timestamp {
    Timestamp::from_microsecond((SystemClock.now() + time).as_microsecond()).unwrap()
}

/// What a reader sees of a record.
pub(crate) fn seen(record: Option<Record>) -> Option<(u64, String)> {
    record.map(|record| (record.fence.0, String::from_utf8(record.contents.to_vec()).unwrap()))
}

pub(crate) fn file_store(folder: &Path) -> FileStore {
    FileStore::open(folder.join("tickets"), store_key()).unwrap()
}

/// An error with all its causes, as people see it.
pub(crate) fn with_causes(error: &StoreError) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The name by which the test harness knows the test that `here` is declared in.
pub(crate) fn test_path<F: Fn()>(_here: F) -> &'static str {
    let path = type_name::<F>().trim_end_matches("::here").trim_end_matches("::{{closure}}");
    path.split_once("::").unwrap().1
}

/// The folder of the parent, in a process that [`this_test`] started.
pub(crate) fn folder_of_parent() -> Option<std::path::PathBuf> {
    std::env::var_os(FOLDER_VARIABLE).map(Into::into)
}

/// A command that runs only the test called `name` of this program, with `folder` for a [`folder_of_parent`].
pub(crate) fn this_test(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]).env(FOLDER_VARIABLE, folder);
    command
}

const FOLDER_VARIABLE: &str = "SOTICKET_TEST_STORE_FOLDER";
