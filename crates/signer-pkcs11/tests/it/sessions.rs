//! Sessions: no more than the token has, one for each thread, and none that is another's.

use std::num::NonZeroUsize;
use std::sync::Arc;

use soticket_core::TokenSigner as _;
use soticket_pkcs11_testbed::{Bed, Device, isolated};
use soticket_signer_pkcs11::Pkcs11Signer;

use crate::support::{block_on, build, builder, rsa_signer, sign};

/// Signs for many callers at once, each of which has to get a signature.
fn many(signer: &Arc<Pkcs11Signer>) {
    block_on(async {
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..64_u8 {
            let signer = Arc::clone(signer);
            callers.spawn(async move {
                let signature = signer.sign(&[number]).await.unwrap();
                assert!(signer.key_info().public_key().verify(&[number], &signature).is_ok());
            });
        }
        callers.join_all().await;
    });
}

fn most_open_at_once(bed: &Bed) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for call in bed.faults().calls().iter().filter(|call| call.code == Some(0)) {
        match call.function.as_str() {
            "C_OpenSession" => open += 1,
            "C_CloseSession" => open -= 1,
            "C_Finalize" => open = 0,
            _ => {}
        }
        most = most.max(open);
    }
    most
}

#[test]
fn threads_and_sessions_are_opened_as_they_are_needed_up_to_the_limit() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = Arc::new(rsa_signer(bed));
        assert_eq!(signer.status().workers, 0);
        for _ in 0..10 {
            sign(&signer).unwrap();
        }
        assert_eq!(signer.status().workers, 1, "one caller needs one thread");
        bed.faults().set("C_Sign 0 -1 0 before 5\n");
        many(&signer);
        assert_eq!(signer.status().workers, 4);
        assert_eq!(most_open_at_once(bed), 5, "and one that holds the login");
        bed.faults().assert_sessions_are_their_epochs();
    });
}

#[test]
fn a_tokens_own_limit_is_kept() {
    isolated!(Device::SoftHsm.faulty().with_env("P11FAULT_MAX_SESSIONS", "3"), |bed: &Bed| {
        let signer = Arc::new(rsa_signer(bed));
        bed.faults().set("C_Sign 0 -1 0 before 2\n");
        many(&signer);
        assert!(signer.status().workers <= 2, "one of three holds the login");
    });
}

#[test]
fn a_token_with_one_session_signs_with_it() {
    isolated!(Device::SoftHsm.faulty().with_env("P11FAULT_MAX_SESSIONS", "1"), |bed: &Bed| {
        let signer = Arc::new(rsa_signer(bed));
        many(&signer);
        assert_eq!(most_open_at_once(bed), 1);
        bed.faults().set("C_Sign 0 2 0x30 before\n");
        sign(&signer).unwrap();
    });
}

#[test]
fn a_single_worker_needs_a_single_session() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let one = NonZeroUsize::new(1).unwrap();
        let signer = Arc::new(build(builder(bed, "object=rsa").with_workers(one)).unwrap());
        many(&signer);
        assert_eq!(most_open_at_once(bed), 1);
    });
}

/// Other programs took the rest: what was told at the start is not so any more.
#[test]
fn when_sessions_run_out_the_others_do_the_work() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = Arc::new(rsa_signer(bed));
        sign(&signer).unwrap();
        bed.faults().set("C_OpenSession 0 -1 0xb1 before\nC_Sign 0 -1 0 before 3\n");
        many(&signer);
        bed.faults().clear();
        sign(&signer).unwrap();
        bed.faults().assert_sessions_are_their_epochs();
    });
}

#[test]
fn a_token_that_refuses_sessions_that_only_read_gets_others() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        // SESSION_READ_ONLY, for every other opening: the second try asks for one that may write.
        let rules: String = (0..10).map(|number| format!("C_OpenSession {number} 1 0xb5 before\n")).collect();
        bed.faults().set(&rules);
        sign(&build(builder(bed, "object=rsa")).unwrap()).unwrap();
    });
}

#[test]
fn a_first_session_that_is_refused_for_a_moment_is_waited_for() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        bed.faults().set("C_OpenSession 0 5 0xb1 before\n");
        sign(&signer).unwrap();
    });
}

#[test]
fn a_session_that_is_given_out_twice_is_not_used_twice() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = Arc::new(rsa_signer(bed));
        sign(&signer).unwrap();
        bed.faults().set("C_OpenSession 0 3 0 samehandle\nC_Sign 0 -1 0 before 2\n");
        many(&signer);
        let calls = bed.faults().calls();
        // Two threads never are in one session at the same time.
        let signing: Vec<_> = calls.iter().filter(|call| call.function == "C_Sign").collect();
        for (number, call) in signing.iter().enumerate() {
            let clash = signing[number + 1..].iter().find(|other| {
                other.handle == call.handle
                    && other.thread != call.thread
                    && other.entered < call.left.unwrap()
            });
            assert!(clash.is_none(), "{call:?} and {clash:?}");
        }
    });
}
