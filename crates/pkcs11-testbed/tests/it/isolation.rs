//! A test that fails in its own process fails.

use std::time::Duration;

use soticket_pkcs11_testbed::{Bed, Device, run_isolated};

/// What the parent says of a body; the child runs the body of the test that is called `name`.
fn outcome(name: &str, limit: Duration, body: impl FnOnce(&Bed)) -> String {
    let setup = Device::SoftHsm.setup().with_limit(limit);
    let path = format!("isolation::{name}");
    let run = std::panic::AssertUnwindSafe(|| run_isolated(&path, &setup, body));
    let in_child = std::env::var_os("SOTICKET_TESTBED_FOLDER").is_some();
    match std::panic::catch_unwind(run) {
        Ok(()) => "passed".to_owned(),
        Err(panic) if in_child => std::panic::resume_unwind(panic),
        Err(panic) => panic.downcast_ref::<String>().unwrap().clone(),
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_body_runs_once_in_another_process() {
    let parent = std::process::id();
    let told = outcome("a_body_runs_once_in_another_process", LONG, |bed| {
        assert!(bed.folder().join("softhsm2.conf").exists());
        std::fs::write(bed.folder().join("ran"), std::process::id().to_string()).unwrap();
    });
    assert_eq!(told, "passed");
    assert_eq!(std::process::id(), parent);
}

#[test]
fn a_body_that_fails_fails_with_its_output() {
    let told = outcome("a_body_that_fails_fails_with_its_output", LONG, |_| panic!("the reason why"));
    if std::env::var_os("SOTICKET_TESTBED_FOLDER").is_none() {
        assert!(told.contains("failed in its own process") && told.contains("the reason why"), "{told}");
    }
}

#[test]
fn a_crash_is_named() {
    let told = outcome("a_crash_is_named", LONG, |_| std::process::abort());
    assert!(told.contains("ended by signal 6"), "{told}");
}

#[test]
fn a_body_that_hangs_is_killed() {
    let told = outcome("a_body_that_hangs_is_killed", Duration::from_millis(1500), |_| {
        loop {
            std::thread::park();
        }
    });
    assert!(told.contains("took too long"), "{told}");
}

#[test]
fn a_body_that_never_ran_does_not_count_as_passed() {
    let told = outcome("no_such_test", LONG, |_| {});
    assert!(told.contains("did not run"), "{told}");
}
