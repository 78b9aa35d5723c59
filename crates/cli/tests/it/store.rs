//! Tickets kept in a folder from one run to the next.

use std::path::PathBuf;

use soticket_emulator::Sample;

use crate::support::{Bench, Desk, set_mode};

/// The files of the store that hold tickets.
fn records(bench: &Bench) -> Vec<PathBuf> {
    let shelves = std::fs::read_dir(bench.desk.path("tickets")).unwrap();
    let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap());
    let files = files.map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "ticket")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_hands_out_what_the_first_one_got() {
    let bench = Bench::start().await;
    let first = bench.keeping("ticket --format json").run();
    assert_eq!(first.err, "");
    let first = first.json();
    for _ in 0..3 {
        let again = bench.keeping("ticket --format json").run().json();
        for member in ["ticket", "expires_at", "claims", "webapi_url"] {
            assert_eq!(again[member], first[member]);
        }
    }
    assert!(bench.keeping("ticket --format headers").run().done().contains("SO-AppToken"));
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_exchanges_and_keeps_the_new_ticket() {
    let bench = Bench::start().await;
    let old = bench.keeping("ticket").run().done();
    let new = bench.keeping("ticket --refresh").run().done();
    assert_ne!(new, old);
    assert_eq!(bench.keeping("ticket").run().done(), new);
    assert_eq!(bench.emulator.exchanges(), 2);
    bench.soticket("ticket --refresh").run().done();
    assert_eq!(
        bench.emulator.exchanges(),
        3,
        "without a store there is nothing to refresh, and no harm in it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_approval_of_the_same_tenant_is_another_ticket() {
    let bench = Bench::start().await;
    bench.keeping("ticket").run().done();
    bench.keeping("ticket").env("SOTICKET_CLIENT_SECRET", "another").run().failed(4);
    bench.keeping("ticket").env("SOTICKET_SYSTEM_USER_TOKEN", "another").run().failed(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_told_and_the_store_made_anew() {
    let bench = Bench::start().await;
    bench.keeping("ticket").run().done();
    std::fs::remove_file(bench.desk.path("store.key")).unwrap();
    let ran = bench.keeping("ticket").run();
    assert!(ran.err.contains("WARN") && ran.err.contains("key"), "{}", ran.err);
    ran.done();
    assert_eq!(bench.emulator.exchanges(), 2);
    let ran = bench.keeping("ticket").run();
    assert_eq!(ran.err, "");
    assert_eq!(bench.emulator.exchanges(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_told_and_made_anew() {
    let bench = Bench::start().await;
    let first = bench.keeping("ticket").run().done();
    let [record] = &records(&bench)[..] else { panic!("one record") };
    let mut bytes = std::fs::read(record).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(record, bytes).unwrap();
    let ran = bench.keeping("ticket").run();
    assert!(ran.err.contains("WARN") && ran.err.contains(".ticket"), "{}", ran.err);
    assert_ne!(ran.done(), first);
    assert_eq!(bench.keeping("ticket").run().err, "");
    assert_eq!(bench.emulator.exchanges(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_once_and_not_kept() {
    let bench = Bench::start().await;
    let err = bench.keeping("ticket --context Cust99999").run().failed(4);
    assert!(!err.contains("WARN"), "{err}");
    assert!(records(&bench).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_kept_or_told_holds_a_secret() {
    let bench = Bench::start().await;
    let ran = bench.keeping("ticket -vvv").run();
    let ticket = ran.out.trim_end().to_owned();
    let key = bench.desk.read("store.key");
    let secrets = [&ticket, key.trim_end(), Sample::CLIENT_SECRET, Sample::SYSTEM_USER_TOKEN];
    for secret in secrets {
        assert!(!ran.err.contains(secret), "{}", ran.err);
        for record in records(&bench) {
            assert!(!String::from_utf8_lossy(&std::fs::read(record).unwrap()).contains(secret));
        }
    }
}

#[test]
fn a_new_key_is_for_its_owner_only_and_written_over_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let out = desk.soticket("store new-key --out store.key").run().done();
    let key = desk.read("store.key");
    assert!(!out.contains(key.trim_end()), "{out}");
    let mode = std::fs::metadata(desk.path("store.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let err = desk.soticket("store new-key --out store.key").run().failed(2);
    assert!(err.contains("store.key") && !err.contains("--force"), "{err}");
    assert_eq!(desk.read("store.key"), key);
    desk.soticket("store new-key --out other.key").run().done();
    assert_ne!(desk.read("other.key"), key);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_leaves_what_is_still_good() {
    let bench = Bench::start().await;
    bench.keeping("ticket").run().done();
    let out = bench.desk.soticket("store purge --store tickets --store-key-file store.key").run().done();
    assert!(out.contains("removed 0"), "{out}");
    bench.keeping("ticket").run().done();
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_others_may_write_in_is_wrong_configuration() {
    let bench = Bench::start().await;
    bench.keeping("ticket").run().done();
    set_mode(&bench.desk.path("tickets"), 0o777);
    let err = bench.keeping("ticket").run().failed(2);
    assert!(err.contains("chmod"), "{err}");
}
