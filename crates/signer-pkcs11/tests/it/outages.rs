//! The device goes away and comes back: quick answers meanwhile, one probe at a time, and no login too many.

use std::time::Duration;

use soticket_core::{SignerErrorKind, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, isolated};

use crate::support::{build, builder, eventually, openssl_verifies, rsa_signer, sign, sign_verified, whole};

#[test]
fn while_the_device_is_down_callers_are_told_at_once_and_it_comes_back_by_itself() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        let key = signer.key_info().public_key().clone();
        bed.faults().set("* 0 -1 0xe0 before\n");
        sign(&signer).unwrap_err();
        assert!(!signer.status().available);
        let calls = bed.faults().calls().len();
        for _ in 0..1000 {
            let error = sign(&signer).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Transport);
            assert!(
                whole(&error).contains("unavailable") && whole(&error).contains("CKR_TOKEN_NOT_PRESENT"),
                "{}",
                whole(&error)
            );
        }
        let probing = bed.faults().calls().len() - calls;
        assert!(probing < 200, "a thousand callers cost {probing} calls to the module");
        bed.faults().clear();
        eventually("a probe finds the device back", || signer.status().available);
        sign_verified(bed, &signer, &key);
        bed.faults().assert_no_finalize_during_a_call();
        bed.faults().assert_sessions_are_their_epochs();
    });
}

/// Each of them would take its time to fail, and those behind it would wait until their deadlines.
#[test]
fn those_that_wait_when_the_device_fails_are_told_at_once_too() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer: std::sync::Arc<_> = rsa_signer(bed).into();
        bed.faults().set("C_Sign 0 -1 0x30 before 200\n");
        let outcomes = crate::support::block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for _ in 0..100 {
                let signer = std::sync::Arc::clone(&signer);
                callers.spawn(async move { signer.sign(b"message").await.map_err(|error| whole(&error)) });
            }
            callers.join_all().await
        });
        let told: Vec<_> = outcomes.into_iter().map(Result::unwrap_err).collect();
        assert!(told.iter().filter(|told| told.contains("unavailable")).count() > 80, "{told:#?}");
        assert!(bed.faults().count("C_Sign") < 60, "each was tried");
        bed.faults().clear();
        eventually("it signs again", || sign(&signer).is_ok());
    });
}

#[test]
fn the_module_is_started_anew_at_most_once_in_the_interval() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let builder = builder(bed, "object=rsa").with_restart_interval(Duration::from_secs(3600));
        let signer = build(builder).unwrap();
        bed.faults().set("C_Sign 0 -1 0x30 before\n");
        sign(&signer).unwrap_err();
        eventually("it was probed more than once", || {
            bed.faults().calls().iter().filter(|call| call.function == "C_Sign").count() > 8
        });
        assert_eq!(bed.faults().count("C_Finalize"), 1);
        let told = whole(&sign(&signer).unwrap_err());
        assert!(told.contains("may be started anew in"), "{told}");
    });
}

#[test]
fn a_lost_login_is_made_up_for_by_one() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        // As when another part of the process logs out: every session says so.
        bed.faults().set("C_SignInit 0 2 0x101 before\n");
        sign(&signer).unwrap();
        bed.faults().assert_sessions_are_their_epochs();
        assert_eq!(bed.faults().count("C_Finalize"), 0);
    });
}

#[test]
fn a_module_that_can_be_neither_stopped_nor_started_is_final() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        bed.faults().set("C_Sign 0 -1 0x30 before\nC_Finalize 0 -1 0x6 before\n");
        eventually("it is final", || {
            sign(&signer).is_err_and(|error| error.kind() == SignerErrorKind::Protocol)
        });
        let error = sign(&signer).unwrap_err();
        assert!(whole(&error).contains("restart"), "{}", whole(&error));
        let calls = bed.faults().calls().len();
        sign(&signer).unwrap_err();
        assert_eq!(bed.faults().calls().len(), calls, "nothing is tried any more");
    });
}

#[test]
fn a_module_that_does_not_start_again_is_tried_until_it_does() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        bed.faults().set("C_Sign 0 3 0x30 before\nC_Initialize 0 3 0x30 before\n");
        sign(&signer).unwrap_err();
        eventually("it signs again", || sign(&signer).is_ok());
        bed.faults().assert_sessions_are_their_epochs();
    });
}

#[test]
fn a_server_that_is_killed_and_started_again_is_found_again() {
    isolated!(Device::P11Kit.setup(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        let key = signer.key_info().public_key().clone();
        openssl_verifies(bed, &key, &sign(&signer).unwrap());
        for _ in 0..3 {
            bed.server().kill();
            let error = sign(&signer).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Transport, "{}", whole(&error));
            bed.server().restart();
            eventually("it signs again", || sign(&signer).is_ok());
            openssl_verifies(bed, &key, &sign(&signer).unwrap());
        }
    });
}

/// Killed while sixteen callers wait for their signatures: each gets one that is right, or an error. One thread serves
/// them, since another would be stuck for good in p11-kit's client when its connection breaks.
#[test]
fn a_server_that_is_killed_in_mid_signature_costs_no_wrong_one() {
    isolated!(Device::P11Kit.setup(), |bed: &Bed| {
        let signer: std::sync::Arc<_> = rsa_signer(bed).into();
        let key = signer.key_info().public_key().clone();
        let callers: Vec<_> = (0..16_u8)
            .map(|number| {
                let (signer, key) = (std::sync::Arc::clone(&signer), key.clone());
                std::thread::spawn(move || {
                    for round in 0..50_u8 {
                        let message = [number, round];
                        if let Ok(signature) = crate::support::block_on(signer.sign(&message)) {
                            assert!(key.verify(&message, &signature).is_ok());
                        }
                    }
                })
            })
            .collect();
        bed.server().kill();
        bed.server().restart();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        eventually("it signs again", || sign(&signer).is_ok());
        let status = signer.status();
        assert_eq!((status.workers, status.lost), (1, 0));
    });
}

#[test]
fn a_token_folder_that_is_gone_and_comes_back_is_found_again() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        let (tokens, away) = (bed.folder().join("tokens"), bed.folder().join("away"));
        std::fs::rename(&tokens, &away).unwrap();
        eventually("it is noticed", || sign(&signer).is_err());
        std::fs::rename(&away, &tokens).unwrap();
        eventually("it signs again", || sign(&signer).is_ok());
    });
}
