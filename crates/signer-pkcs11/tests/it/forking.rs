//! A fork without exec: the child is told, hangs nowhere, and does the parent no harm.

use soticket_core::SignerErrorKind;
use soticket_pkcs11_testbed::{Bed, Device, fork, isolated};

use crate::support::{build, builder, rsa_signer, sign, sign_verified, whole};

/// What the child returns when all was as it should be; anything else names what was not.
const WELL: i32 = 0;

fn forks(bed: &Bed) {
    use soticket_core::TokenSigner as _;
    let signer = rsa_signer(bed);
    let key = signer.key_info().public_key().clone();
    sign_verified(bed, &signer, &key);
    let mut signer = Some(signer);
    let code = fork(|| {
        let inherited = signer.take().unwrap();
        let error = sign(&inherited).unwrap_err();
        if error.kind() != SignerErrorKind::Configuration || !whole(&error).contains("forked") {
            return 1;
        }
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        if !whole(&error).contains("forked") {
            return 2;
        }
        drop(inherited);
        WELL
    });
    assert_eq!(code, WELL);
    for _ in 0..5 {
        sign_verified(bed, signer.as_ref().unwrap(), &key);
    }
}

#[test]
fn a_forked_child_is_told_and_the_parent_goes_on() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        forks(bed);
        assert_eq!(bed.faults().count("C_Finalize"), 1, "by the parent, when its signer was dropped");
        assert_eq!(bed.faults().count("C_Login"), 1);
    });
}

#[test]
fn a_connection_to_a_server_survives_a_fork() {
    isolated!(Device::P11Kit.setup(), forks);
}

/// While other threads of the parent hold every lock that there is.
#[test]
fn a_fork_in_the_midst_of_signing_hangs_nowhere() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let signer = std::sync::Arc::new(rsa_signer(bed));
        bed.faults().set("C_Sign 0 -1 0 before 1\n");
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let signer = std::sync::Arc::clone(&signer);
                std::thread::spawn(move || (0..50).for_each(|_| _ = sign(&signer).unwrap()))
            })
            .collect();
        for _ in 0..10 {
            let code = fork(|| i32::from(!whole(&sign(&signer).unwrap_err()).contains("forked")));
            assert_eq!(code, WELL);
        }
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
}
