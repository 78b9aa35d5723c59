//! A module is started once and shut down once, whoever shares it, and nothing is left open.

use std::sync::Arc;

use soticket_core::{SignerErrorKind, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, isolated};

use crate::support::{block_on, build, builder, rsa_signer, sign, whole};

#[test]
fn everything_is_closed_and_the_module_shut_down_with_the_last_signer() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let first = rsa_signer(bed);
        let second = build(builder(bed, "id=%01")).unwrap();
        sign(&first).unwrap();
        sign(&second).unwrap();
        assert_eq!(bed.faults().count("C_Initialize"), 1, "one context a module and process");
        assert_eq!(bed.faults().count("C_Login"), 1, "the login is the application's");
        drop(first);
        assert_eq!(bed.faults().count("C_Finalize"), 0);
        sign(&second).unwrap();
        drop(second);
        assert_eq!(bed.faults().count("C_Finalize"), 1, "by the time that the last is dropped");
        bed.faults().assert_no_finalize_during_a_call();
        bed.faults().assert_sessions_are_their_epochs();
        let calls = bed.faults().calls();
        let with = |name: &str| calls.iter().filter(|call| call.function == name).count();
        assert_eq!(
            with("C_OpenSession"),
            with("C_CloseSession"),
            "no session is left to the module to close"
        );
        sign(&build(builder(bed, "object=rsa")).unwrap()).unwrap();
        assert_eq!(bed.faults().count("C_Initialize"), 2, "it starts again for the next");
    });
}

/// The last signer is dropped just when the next one is built.
#[test]
fn a_module_that_is_being_shut_down_is_waited_for() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        bed.faults().set("C_Finalize 0 -1 0 before 30\n");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        sign(&build(builder(bed, "object=rsa")).unwrap()).unwrap();
                    }
                });
            }
        });
        assert_eq!(bed.faults().count("C_Initialize"), bed.faults().count("C_Finalize"));
        bed.faults().assert_no_finalize_during_a_call();
        bed.faults().assert_sessions_are_their_epochs();
    });
}

#[test]
fn links_to_a_module_lead_to_the_same_context() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let link = bed.folder().join("link.so");
        std::os::unix::fs::symlink(bed.module(), &link).unwrap();
        let uri = bed.uri("object=rsa");
        let linked = uri.replace(bed.module().to_str().unwrap(), link.to_str().unwrap()).parse().unwrap();
        let first = build(builder(bed, "object=rsa")).unwrap();
        let second = build(
            soticket_signer_pkcs11::Pkcs11Signer::builder(linked).with_pin(crate::support::pin(bed.pin())),
        )
        .unwrap();
        sign(&first).unwrap();
        sign(&second).unwrap();
        assert_eq!(bed.faults().count("C_Initialize"), 1);
    });
}

#[test]
fn a_module_that_somebody_else_initialised_is_not_shut_down() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
        bed.generate_rsa("01", "rsa", 2048);
        let theirs = Pkcs11::new(bed.module()).unwrap();
        theirs.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        let signer = build(builder(bed, "object=rsa")).unwrap();
        sign(&signer).unwrap();
        bed.faults().set("C_Sign 0 -1 0x30 before\n");
        crate::support::eventually("a restart would help", || {
            sign(&signer).is_err_and(|error| whole(&error).contains("another part of this process"))
        });
        bed.faults().clear();
        drop(signer);
        assert_eq!(bed.faults().count("C_Finalize"), 0);
        theirs.get_slots_with_token().unwrap();
        theirs.finalize().unwrap();
    });
}

#[test]
fn a_failed_build_leaves_nothing_open() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        for object in ["object=missing", "id=%ff"] {
            build(builder(bed, object)).unwrap_err();
        }
        bed.faults().set("C_Sign 0 -1 0x30 before\n");
        build(builder(bed, "object=rsa")).unwrap_err();
        assert_eq!(bed.faults().open_sessions(), 0);
        bed.faults().assert_sessions_are_their_epochs();
        assert_eq!(bed.faults().count("C_Initialize"), bed.faults().count("C_Finalize"));
    });
}

#[test]
fn cancelled_callers_cost_the_device_nothing_and_others_nothing() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = Arc::new(rsa_signer(bed));
        bed.faults().set("C_Sign 0 -1 0 before 20\n");
        let before = bed.faults().count("C_Sign");
        block_on(async {
            let mut callers = tokio::task::JoinSet::new();
            for _ in 0..200 {
                let signer = signer.clone();
                callers.spawn(async move { signer.sign(b"never mind").await.map(|_| ()) });
            }
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
            callers.shutdown().await;
        });
        sign(&signer).unwrap();
        let signed = bed.faults().count("C_Sign") - before;
        assert!(signed < 50, "{signed} signatures were made for nobody");
    });
}

#[test]
fn a_signer_that_is_dropped_in_mid_signature_waits_for_it() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = rsa_signer(bed);
        bed.faults().set("C_Sign 0 1 0 before 500\n");
        block_on(async {
            let signing = signer.sign(b"message");
            assert!(tokio::time::timeout(std::time::Duration::from_millis(100), signing).await.is_err());
        });
        drop(signer);
        bed.faults().assert_no_finalize_during_a_call();
        assert_eq!(bed.faults().count("C_Finalize"), 1);
    });
}

#[test]
fn two_ways_to_start_a_module_cannot_be_mixed() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        let _signer = rsa_signer(bed);
        let uri = format!("{}&x-initialize-arguments=x", bed.uri("object=rsa")).parse().unwrap();
        let error = build(soticket_signer_pkcs11::Pkcs11Signer::builder(uri)).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Configuration);
        assert!(whole(&error).contains("other initialisation arguments"), "{}", whole(&error));
    });
}
