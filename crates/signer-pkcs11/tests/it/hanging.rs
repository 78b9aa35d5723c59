//! A module that does not answer: callers do not wait for it, threads that are stuck are counted, and work goes on.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use soticket_core::{SignerErrorKind, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, isolated};
use soticket_signer_pkcs11::{Pkcs11Signer, Pkcs11SignerBuilder};

use crate::support::{block_on, build, builder, eventually, sign, whole};

const DEADLINE: Duration = Duration::from_millis(300);

fn impatient(bed: &Bed) -> Pkcs11SignerBuilder {
    bed.generate_rsa("01", "rsa", 2048);
    builder(bed, "object=rsa").with_deadline(DEADLINE)
}

/// How long a signature took, and how it came out.
#[expect(clippy::disallowed_methods, reason = "a deadline is kept in real time")]
fn timed(signer: &Pkcs11Signer) -> (Duration, Result<(), soticket_core::SignerError>) {
    let start = Instant::now();
    let outcome = sign(signer).map(|_| ());
    (start.elapsed(), outcome)
}

#[test]
fn the_callers_deadline_holds_and_others_go_on() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = build(impatient(bed)).unwrap();
        bed.faults().set("C_Sign 0 1 0 before 4000\n");
        let (time, outcome) = timed(&signer);
        let error = outcome.unwrap_err();
        assert!(time >= DEADLINE && time < Duration::from_secs(3), "{time:?}");
        assert_eq!(error.kind(), SignerErrorKind::Transport);
        assert!(whole(&error).contains("did not answer"), "{}", whole(&error));
        assert_eq!(signer.status().lost, 1);
        for _ in 0..20 {
            sign(&signer).unwrap();
        }
        eventually("the thread comes back", || signer.status().lost == 0);
        sign(&signer).unwrap();
        bed.faults().assert_no_finalize_during_a_call();
    });
}

#[test]
fn when_too_many_threads_are_stuck_nothing_more_is_risked() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = build(impatient(bed).with_max_lost_threads(NonZeroUsize::new(2).unwrap())).unwrap();
        bed.faults().set("C_Sign 0 -1 0 before 3000\n");
        for _ in 0..2 {
            sign(&signer).unwrap_err();
        }
        assert_eq!(signer.status().lost, 2);
        let calls = bed.faults().calls().len();
        let (time, outcome) = timed(&signer);
        let error = outcome.unwrap_err();
        assert!(time < DEADLINE, "it is told at once: {time:?}");
        assert!(whole(&error).contains("2 threads have not come back"), "{}", whole(&error));
        assert_eq!(bed.faults().calls().len(), calls);
        bed.faults().clear();
        eventually("the threads come back", || signer.status().lost == 0);
        sign(&signer).unwrap();
    });
}

#[test]
fn a_hung_opening_holds_nobody_up_who_has_a_session() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer: std::sync::Arc<Pkcs11Signer> = build(impatient(bed)).unwrap().into();
        sign(&signer).unwrap();
        // The next session that is opened, by a second thread, hangs.
        bed.faults().set("C_OpenSession 0 1 0 before 2000\nC_Sign 0 1 0 before 100\n");
        let outcomes = block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let signer = signer.clone();
                callers.spawn(async move { signer.sign(b"message").await.is_ok() });
            }
            callers.join_all().await
        });
        assert!(
            outcomes.into_iter().filter(|signed| *signed).count() >= 7,
            "one at most waits for the opening"
        );
    });
}

#[test]
fn building_ends_at_its_deadline_and_a_prompt_does_not_count() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let quick = || builder(bed, "object=rsa").with_build_deadline(DEADLINE);
        bed.faults().set("C_Initialize 0 1 0 before 2000\n");
        let error = build(quick()).unwrap_err();
        assert!(whole(&error).contains("did not answer"), "{}", whole(&error));
        bed.faults().clear();
        let slow_person = soticket_signer_pkcs11::Pin::callback(|| {
            std::thread::park_timeout(Duration::from_secs(1));
            Ok("1234".to_owned().into())
        });
        eventually("the first start is over", || {
            bed.faults().calls().iter().any(|call| call.function == "C_Finalize" && call.left.is_some())
        });
        let signer =
            build(quick().with_build_deadline(Duration::from_millis(900)).with_pin(slow_person)).unwrap();
        sign(&signer).unwrap();
    });
}

#[test]
fn requests_beyond_the_queue_are_refused_at_once() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let one = NonZeroUsize::new(1).unwrap();
        let builder = impatient(bed).with_deadline(Duration::from_secs(20)).with_workers(one);
        let signer: std::sync::Arc<Pkcs11Signer> =
            build(builder.with_queue(NonZeroUsize::new(4).unwrap())).unwrap().into();
        bed.faults().set("C_Sign 0 -1 0 before 50\n");
        let outcomes = block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for _ in 0..32 {
                let signer = signer.clone();
                callers.spawn(async move { signer.sign(b"message").await.map_err(|error| whole(&error)) });
            }
            callers.join_all().await
        });
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert!(refused.len() >= 20, "{refused:?}");
        assert!(refused.iter().all(|told| told.contains("wait already")), "{refused:?}");
        sign(&signer).unwrap();
    });
}

/// A device's own time-out may be longer than the callers' patience, and then all calls fail at once.
#[test]
fn sessions_of_calls_that_fail_too_late_are_closed_all_the_same() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer: std::sync::Arc<Pkcs11Signer> = build(impatient(bed)).unwrap().into();
        let four_at_once = || {
            block_on(async {
                let mut callers = tokio::task::JoinSet::new();
                for _ in 0..4 {
                    let signer = signer.clone();
                    callers.spawn(async move { signer.sign(b"message").await.map(|_| ()) });
                }
                callers.join_all().await
            })
        };
        // One closing at a time, each of which takes its own.
        bed.faults().set("C_Sign 0 -1 0x30 before 500\nC_CloseSession 0 -1 0 before 100\n");
        assert!(four_at_once().iter().all(Result::is_err));
        eventually("the threads come back", || signer.status().lost == 0);
        bed.faults().clear();
        eventually("the device is back", || sign(&signer).is_ok());
        drop(signer);
        assert_eq!(bed.faults().count("C_OpenSession"), bed.faults().count("C_CloseSession"));
        bed.faults().assert_sessions_are_their_epochs();
    });
}

/// The next probe would have been due seconds later, and nobody may sleep until then.
#[test]
fn the_deadline_holds_after_an_outage_that_ended_early() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = build(impatient(bed).with_restart_interval(Duration::from_secs(3600))).unwrap();
        sign(&signer).unwrap();
        bed.faults().set("C_Sign 0 -1 0x30 before\n");
        sign(&signer).unwrap_err();
        // Three probes fail, by three attempts each; the next one is due after two seconds.
        let failed = bed.faults().count("C_Sign");
        eventually("three probes fail", || bed.faults().count("C_Sign") >= failed + 9);
        // That one is given up, and succeeds soon after, long before another is due.
        bed.faults().set("C_Sign 0 1 0 before 500\nC_Sign 0 1 0 before 4000\n");
        eventually("it is taken for available", || signer.status().available);
        let (time, outcome) = timed(&signer);
        assert!(outcome.is_err() && time < DEADLINE + Duration::from_secs(1), "{time:?}, {outcome:?}");
    });
}

/// The process behind the module is stopped, and goes on later: no time-out of p11-kit's own ends the call.
#[test]
fn a_server_that_is_stopped_in_mid_signature_and_goes_on() {
    isolated!(Device::P11Kit.setup(), |bed: &Bed| {
        let signer = build(impatient(bed)).unwrap();
        sign(&signer).unwrap();
        bed.server().stop();
        let (time, outcome) = timed(&signer);
        assert!(outcome.is_err() && time < Duration::from_secs(3), "{time:?}");
        assert_eq!(signer.status().lost, 1);
        bed.server().resume();
        eventually("the thread comes back", || signer.status().lost == 0);
        eventually("it signs", || sign(&signer).is_ok());
    });
}
