//! Every class of fault, injected once or for good, before or after the real call.

use soticket_core::{SignerErrorKind, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, isolated};
use soticket_signer_pkcs11::Pkcs11Signer;

use crate::support::{block_on, builder, code, rsa_signer, sign, sign_verified, whole};

/// What stands for a device, a session, a key or an operation that is lost; modules agree on none of it.
const PASSING: &[(&str, u64)] = &[
    ("C_Sign", 0x30),        // DEVICE_ERROR
    ("C_Sign", 0x05),        // GENERAL_ERROR
    ("C_Sign", 0x06),        // FUNCTION_FAILED
    ("C_Sign", 0x31),        // DEVICE_MEMORY
    ("C_Sign", 0x32),        // DEVICE_REMOVED
    ("C_Sign", 0xE0),        // TOKEN_NOT_PRESENT
    ("C_Sign", 0xB3),        // SESSION_HANDLE_INVALID
    ("C_Sign", 0xB0),        // SESSION_CLOSED
    ("C_Sign", 0x91),        // OPERATION_NOT_INITIALIZED
    ("C_Sign", 0x101),       // USER_NOT_LOGGED_IN
    ("C_Sign", 0x190),       // CRYPTOKI_NOT_INITIALIZED
    ("C_Sign", 0x54),        // FUNCTION_NOT_SUPPORTED
    ("C_Sign", 0x150),       // BUFFER_TOO_SMALL
    ("C_Sign", 0x8000_0042), // a vendor's own
    ("C_Sign", 0x1B9),       // one that the crate in between has no name for
    ("C_Sign", u64::MAX),
    ("C_SignInit", 0x82), // OBJECT_HANDLE_INVALID
    ("C_SignInit", 0x60), // KEY_HANDLE_INVALID
    ("C_SignInit", 0x90), // OPERATION_ACTIVE
    ("C_SignInit", 0xB3),
    ("C_SignInit", 0x30),
];

/// What a request itself is blamed for.
const REFUSALS: &[(&str, u64)] = &[
    ("C_SignInit", 0x68), // KEY_FUNCTION_NOT_PERMITTED
    ("C_SignInit", 0x70), // MECHANISM_INVALID
    ("C_SignInit", 0x63), // KEY_TYPE_INCONSISTENT
    ("C_Sign", 0x20),     // DATA_INVALID
    ("C_Sign", 0x21),     // DATA_LEN_RANGE
];

/// Whatever happened: one login, nothing closed that is another's or left open, nothing shut down under a call.
fn assert_in_order(bed: &Bed) {
    assert_eq!(bed.faults().open_sessions(), 2, "one that signs and one that holds the login");
    assert_eq!(bed.faults().count("C_Login"), 1);
    bed.faults().assert_no_finalize_during_a_call();
    bed.faults().assert_sessions_are_their_epochs();
}

#[test]
fn a_failure_that_passes_is_not_noticed_and_costs_no_login() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        let key = signer.key_info().public_key().clone();
        for (function, code) in PASSING {
            for when in ["before", "after"] {
                bed.faults().set(&format!("{function} 0 1 {code:#x} {when}\n"));
                sign_verified(bed, &signer, &key);
            }
        }
        bed.faults().clear();
        assert_in_order(bed);
        assert_eq!(bed.faults().count("C_Finalize"), 0, "nothing so strong was needed");
    });
}

#[test]
fn a_session_that_failed_is_given_up() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        sign(&signer).unwrap();
        let failed = bed.faults().calls().iter().rfind(|call| call.function == "C_Sign").unwrap().handle;
        bed.faults().set("C_Sign 0 1 0x30 before\n");
        sign(&signer).unwrap();
        let calls = bed.faults().calls();
        let failure = calls.iter().rposition(|call| call.code == Some(0x30)).unwrap();
        assert_eq!(calls[failure].handle, failed, "it was used as long as it was good");
        let after: Vec<_> = calls[failure + 1..].iter().map(|call| call.function.as_str()).collect();
        assert_eq!(&after[..2], ["C_CloseSession", "C_OpenSession"], "closed before the next is opened");
        assert_in_order(bed);
    });
}

#[test]
fn a_refused_request_is_told_at_once_with_function_code_and_token() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        for (function, number) in REFUSALS {
            bed.faults().set(&format!("{function} 0 1 {number:#x} before\n"));
            let calls = bed.faults().count(function);
            let error = sign(&signer).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Refused, "{}", whole(&error));
            assert_eq!(code(&error), Some(*number));
            let told = whole(&error);
            let expected = [format!("{function} answered CKR_"), format!("(0x{number:08X})")];
            for part in expected.iter().map(String::as_str).chain(["token `lab` (serial "]) {
                assert!(told.contains(part), "{part}: {told}");
            }
            assert_eq!(bed.faults().count(function), calls + 1, "asking again changes nothing");
            sign(&signer).unwrap();
        }
        assert_in_order(bed);
    });
}

#[test]
fn what_does_not_pass_is_told_with_the_first_cause() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        bed.faults().set("C_Sign 0 -1 0x32 before\n");
        let error = sign(&signer).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Transport, "{}", whole(&error));
        assert!(error.is_retryable());
        assert!(
            whole(&error).contains("C_Sign answered CKR_DEVICE_REMOVED (0x00000032)"),
            "{}",
            whole(&error)
        );
        bed.faults().assert_no_finalize_during_a_call();
        bed.faults().assert_sessions_are_their_epochs();
    });
}

/// A random mix of everything at once, from many callers, and not one wrong signature.
#[test]
fn a_storm_of_faults_yields_only_right_signatures() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer: std::sync::Arc<Pkcs11Signer> = rsa_signer(bed).into();
        let key = signer.key_info().public_key().clone();
        let mut rules = String::new();
        for (number, (function, code)) in (0..).zip(PASSING.iter().cycle().take(60)) {
            rules += &format!("{function} {} 1 {code:#x} {}\n", number * 7, ["before", "after"][number % 2]);
        }
        rules += "C_OpenSession 3 2 0x30 before\nC_FindObjects 5 2 0xe0 after\nC_Sign 40 3 0 wrongkey\n";
        bed.faults().set(&rules);
        let signed = block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for number in 0..500_u32 {
                let (signer, key) = (signer.clone(), key.clone());
                callers.spawn(async move {
                    let message = number.to_be_bytes();
                    let outcome = signer.sign(&message).await;
                    outcome.is_ok_and(|signature| {
                        assert!(key.verify(&message, &signature).is_ok(), "a wrong signature got out");
                        true
                    })
                });
            }
            callers.join_all().await.into_iter().filter(|signed| *signed).count()
        });
        assert!(signed > 100, "only {signed} of 500 were signed");
        bed.faults().clear();
        crate::support::eventually("the device is back", || sign(&signer).is_ok());
        assert!(bed.faults().open_sessions() <= 5, "four that sign and one that holds the login");
        bed.faults().assert_no_finalize_during_a_call();
        bed.faults().assert_sessions_are_their_epochs();
    });
}

#[test]
fn a_module_that_tells_a_time_that_is_none_is_used_all_the_same() {
    isolated!(Device::SoftHsm.faulty().with_env("P11FAULT_BAD_UTC_TIME", "1"), |bed: &Bed| {
        sign(&rsa_signer(bed)).unwrap();
    });
}

#[test]
fn a_slot_that_does_not_answer_is_left_out() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        // The second slot, which is empty.
        bed.faults().set("C_GetTokenInfo 1 1 0xe1 before\n");
        sign(&crate::support::build(builder(bed, "object=rsa")).unwrap()).unwrap();
    });
}

#[test]
fn a_module_that_cannot_lock_is_used_by_one_thread_at_a_time() {
    isolated!(Device::SoftHsm.faulty().with_env("P11FAULT_CANT_LOCK", "1"), |bed: &Bed| {
        let signer: std::sync::Arc<Pkcs11Signer> = rsa_signer(bed).into();
        block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for number in 0..32_u8 {
                let signer = signer.clone();
                callers.spawn(async move { signer.sign(&[number]).await.unwrap() });
            }
            callers.join_all().await;
        });
        drop(signer);
        let calls = bed.faults().calls();
        for pair in calls.windows(2) {
            assert!(pair[0].left.unwrap() <= pair[1].entered, "two calls at once: {pair:?}");
        }
    });
}
