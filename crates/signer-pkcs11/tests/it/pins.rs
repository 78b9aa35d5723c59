//! PINs: none is tried twice, none is tried when one more would lock the token, and none is empty.

use soticket_core::{SignerErrorKind, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, isolated};
use soticket_signer_pkcs11::{Pin, PinTries, Pkcs11Signer};

use crate::support::{build, builder, code, eventually, pin, rsa_signer, sign, whole};

#[test]
fn a_wrong_pin_is_tried_once_in_the_life_of_the_process() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let first = build(builder(bed, "object=rsa").with_pin(pin("9999"))).unwrap_err();
        assert_eq!(first.kind(), SignerErrorKind::Refused, "{}", whole(&first));
        assert!(!first.is_retryable());
        assert_eq!(code(&first), Some(0xA0));
        for object in ["object=rsa", "id=%01", ""] {
            let again = build(builder(bed, object).with_pin(pin("9999"))).unwrap_err();
            assert_eq!(again.kind(), SignerErrorKind::Refused);
            assert!(whole(&again).contains("never tried twice"), "{}", whole(&again));
        }
        assert_eq!(bed.faults().count("C_Login"), 1);
        sign(&build(builder(bed, "object=rsa")).unwrap()).unwrap();
        assert_eq!(bed.faults().count("C_Login"), 2, "the right one is another");
    });
}

#[test]
fn every_refusal_of_a_pin_counts() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        // PIN_INCORRECT, PIN_INVALID, PIN_LEN_RANGE, PIN_EXPIRED, PIN_LOCKED, USER_PIN_NOT_INITIALIZED
        for (number, code) in (0..).zip([0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0x102]) {
            bed.faults().set(&format!("C_Login 0 -1 {code:#x} before\n"));
            let logins = bed.faults().count("C_Login");
            for _ in 0..3 {
                let error =
                    build(builder(bed, "object=rsa").with_pin(pin(&format!("pin{number}")))).unwrap_err();
                assert_eq!(error.kind(), SignerErrorKind::Refused, "{}", whole(&error));
            }
            assert_eq!(bed.faults().count("C_Login"), logins + 1, "{code:#x}");
        }
    });
}

#[test]
fn no_pin_is_tried_at_the_final_try_unless_forced() {
    isolated!(Device::SoftHsm.faulty().with_env("P11FAULT_TOKEN_FLAGS", "0x20000"), |bed: &Bed| {
        refused_unless_forced(bed, "CKF_USER_PIN_FINAL_TRY");
    });
}

#[test]
fn no_pin_is_tried_on_a_locked_token_unless_forced() {
    isolated!(Device::SoftHsm.faulty().with_env("P11FAULT_TOKEN_FLAGS", "0x40000"), |bed: &Bed| {
        refused_unless_forced(bed, "CKF_USER_PIN_LOCKED");
    });
}

#[test]
fn no_pin_is_tried_that_has_to_be_changed_first() {
    isolated!(Device::SoftHsm.faulty().with_env("P11FAULT_TOKEN_FLAGS", "0x80000"), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Refused);
        assert!(whole(&error).contains("CKF_USER_PIN_TO_BE_CHANGED"), "{}", whole(&error));
        assert_eq!(bed.faults().count("C_Login"), 0);
    });
}

/// Other programs may have tried wrong ones since the last login, with one session as with many.
#[test]
fn the_counters_are_read_anew_before_each_login() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        for workers in [1, 4] {
            let workers = std::num::NonZeroUsize::new(workers).unwrap();
            let signer = build(builder(bed, "object=rsa").with_workers(workers)).unwrap();
            // The login is lost with the only session.
            bed.faults().set("C_Sign 0 1 0x30 before\n");
            sign(&signer).unwrap();
        }
        let calls = bed.faults().calls();
        let logins = (0..calls.len()).filter(|index| calls[*index].function == "C_Login");
        let read_since_it_was_opened = |login: &usize| {
            let own = calls[..*login].iter().rev().filter(|call| call.thread == calls[*login].thread);
            let since = own.map(|call| call.function.as_str()).take_while(|name| *name != "C_OpenSession");
            since.collect::<Vec<_>>().contains(&"C_GetTokenInfo")
        };
        let logins: Vec<_> = logins.map(|login| read_since_it_was_opened(&login)).collect();
        assert!(logins.len() > 3 && logins.iter().all(|read| *read), "{logins:?}: {calls:#?}");
    });
}

#[test]
fn a_login_that_is_there_already_will_do_and_the_security_officers_does_not() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        // USER_ALREADY_LOGGED_IN, USER_ANOTHER_ALREADY_LOGGED_IN
        bed.faults().set("C_Login 0 1 0x100 after\n");
        sign(&build(builder(bed, "object=rsa")).unwrap()).unwrap();
        bed.faults().set("C_Login 0 1 0x104 before\n");
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        assert_eq!(code(&error), Some(0x104));
        assert!(whole(&error).contains("log it out"), "{}", whole(&error));
    });
}

fn refused_unless_forced(bed: &Bed, flag: &str) {
    bed.generate_rsa("01", "rsa", 2048);
    let error = build(builder(bed, "object=rsa")).unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Refused);
    assert!(whole(&error).contains(flag), "{}", whole(&error));
    assert_eq!(bed.faults().count("C_Login"), 0);
    let forced = builder(bed, "object=rsa").with_pin_tries(PinTries::Forced);
    sign(&build(forced).unwrap()).unwrap();
    assert_eq!(bed.faults().count("C_Login"), 1);
}

#[test]
fn a_missing_or_empty_pin_reaches_no_token() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let empty = bed.folder().join("empty");
        std::fs::write(&empty, "\n").unwrap();
        let with_source = |source: &str| format!("{}&pin-source={source}", bed.uri("object=rsa"));
        let builders = [
            builder(bed, "object=rsa").with_pin(Pin::none()),
            builder(bed, "object=rsa").with_pin(pin("")),
            Pkcs11Signer::builder(with_source(empty.to_str().unwrap()).parse().unwrap()),
            Pkcs11Signer::builder(with_source("/no/such/file").parse().unwrap()).with_pin(pin(bed.pin())),
        ];
        for builder in builders {
            let error = build(builder).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Configuration, "{}", whole(&error));
        }
        assert_eq!(bed.faults().count("C_Login"), 0);
    });
}

#[test]
fn the_uri_may_say_where_the_pin_is() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let file = bed.folder().join("my pin");
        std::fs::write(&file, format!("{}\r\n", bed.pin())).unwrap();
        let path = file.to_str().unwrap().replace(' ', "%20");
        for query in
            [format!("pin-source=file:{path}"), format!("pin-source={path}"), "pin-value=12%334".to_owned()]
        {
            let uri = format!("{}&{query}", bed.uri("object=rsa")).parse().unwrap();
            sign(&build(Pkcs11Signer::builder(uri)).unwrap()).unwrap();
        }
    });
}

#[test]
fn a_pin_that_was_changed_meanwhile_is_found_out_by_one_try_and_ends_it() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        bed.change_pin("5678");
        sign(&signer).expect("the login that is there goes on");
        bed.faults().set("C_Sign 0 3 0x30 before\n");
        eventually("the login fails", || {
            sign(&signer).is_err_and(|error| error.kind() == SignerErrorKind::Refused)
        });
        bed.faults().clear();
        for _ in 0..5 {
            let error = sign(&signer).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Refused, "{}", whole(&error));
            assert!(whole(&error).contains("restarted"), "{}", whole(&error));
        }
        let logins = bed.faults().calls().into_iter().filter(|call| call.function == "C_Login");
        assert_eq!(logins.filter(|call| call.code != Some(0)).count(), 1);
    });
}

/// A real lock: kryoptic refuses the tenth wrong PIN for good.
#[test]
#[ignore = "needs kryoptic, which cargo xtask softhsm-test builds"]
fn a_token_that_locks_is_told_and_not_tried() {
    isolated!(Device::Kryoptic.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let mut told = Vec::new();
        for number in 0..10 {
            let forced = builder(bed, "object=rsa").with_pin(pin(&format!("wrong-{number}")));
            told.push(whole(&build(forced.with_pin_tries(PinTries::Forced)).unwrap_err()));
        }
        assert_eq!(bed.faults().count("C_Login"), 10, "each wrong PIN once");
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Refused, "{}", whole(&error));
        assert!(whole(&error).contains("CKF_USER_PIN_LOCKED"), "{}", whole(&error));
        assert_eq!(bed.faults().count("C_Login"), 10, "the right PIN would be of no use: {told:#?}");
    });
}

/// Well before that, a careful signer stops.
#[test]
#[ignore = "needs kryoptic, which cargo xtask softhsm-test builds"]
fn a_careful_signer_never_locks_a_token() {
    isolated!(Device::Kryoptic.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        for number in 0..20 {
            build(builder(bed, "object=rsa").with_pin(pin(&format!("wrong-{number}")))).unwrap_err();
        }
        assert!(bed.faults().count("C_Login") < 10);
        // By hand, and with the right PIN, the counter is cleared.
        bed.generate_rsa("02", "another", 2048);
        sign(&build(builder(bed, "object=rsa")).unwrap()).unwrap();
    });
}

#[test]
#[ignore = "needs kryoptic, which cargo xtask softhsm-test builds"]
fn a_key_that_wants_the_pin_with_each_use_gets_it() {
    isolated!(Device::Kryoptic.faulty(), |bed: &Bed| {
        bed.generate("01", "careful", "rsa:2048", &["--always-auth", "--sensitive"]);
        bed.generate("02", "careful-ec", "EC:prime256v1", &["--always-auth", "--sensitive"]);
        for object in ["object=careful", "object=careful-ec"] {
            let signer = build(builder(bed, object)).unwrap();
            assert_eq!(signer.attributes().always_authenticate, Some(true));
            let key = signer.key_info().public_key().clone();
            for _ in 0..5 {
                crate::support::sign_verified(bed, &signer, &key);
            }
        }
    });
}
