//! Which key a URI means, what is learned of it, and what is said when it means none or several.

use std::process::Command;

use soticket_core::{Exportability, PublicKey, SignerErrorKind, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, isolated};

use crate::support::{build, builder, sign, sign_verified, whole};

#[test]
fn a_key_is_found_by_label_by_id_or_as_the_only_one() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("0a10", "rsa", 2048);
        let expected = PublicKey::from_pem(&bed.public_key_pem("0a10")).unwrap();
        for object in ["object=rsa", "id=%0a%10", "id=%0A%10;object=rsa;type=private", ""] {
            let signer = build(builder(bed, object)).unwrap();
            assert_eq!(signer.key_info().public_key(), &expected, "{object}");
            sign_verified(bed, &signer, &expected);
        }
        let info = build(builder(bed, "object=rsa")).unwrap();
        let info = info.key_info();
        assert_eq!(info.label(), "rsa");
        assert_eq!(info.exportability(), Exportability::NonExportable);
        assert!(info.location().contains("token `lab`") && info.location().contains("id=%0a%10"), "{info}");
        assert!(info.warnings().is_empty(), "{:?}", info.warnings());
    });
}

#[test]
fn attributes_of_the_token_and_the_library_all_have_to_match() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let module = bed.module().display().to_string();
        let try_uri = |path: &str| {
            let uri = format!("pkcs11:{path}?module-path={module}").parse().unwrap();
            build(soticket_signer_pkcs11::Pkcs11Signer::builder(uri).with_pin(crate::support::pin(bed.pin())))
        };
        let all = "token=lab;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;library-manufacturer=SoftHSM;\
                   library-description=Implementation%20of%20PKCS11;slot-manufacturer=SoftHSM%20project";
        let signer = try_uri(all).unwrap();
        let (slot, serial) = (signer.token().slot_id(), signer.token().serial().to_owned());
        drop(signer);
        assert!(try_uri(&format!("slot-id={slot};serial={serial}")).is_ok());
        for wrong in
            ["token=lap", "serial=0", "model=x", "manufacturer=x", "slot-id=4711", "library-version=9.9"]
        {
            let error = try_uri(&format!("{wrong};object=rsa")).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Configuration, "{wrong}");
            assert!(whole(&error).contains("token=lab;serial="), "{wrong}: {}", whole(&error));
        }
    });
}

#[test]
fn a_key_that_is_not_there_is_told_with_those_that_are() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let error = build(builder(bed, "object=RSA")).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Key);
        assert!(whole(&error).contains("`object=rsa;id=%01`"), "{}", whole(&error));
        let error = build(builder(bed, "id=01")).unwrap_err();
        assert!(whole(&error).contains("did you mean `id=%01`?"), "{}", whole(&error));
        bed.delete("01");
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        assert!(
            whole(&error).contains("there is none") && whole(&error).contains("login"),
            "{}",
            whole(&error)
        );
    });
}

#[test]
fn several_keys_are_refused_with_a_way_to_choose() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("01", "twin", 2048);
        bed.generate_rsa("02", "twin", 2048);
        let error = build(builder(bed, "object=twin")).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Key);
        let told = whole(&error);
        assert!(told.contains("`object=twin;id=%01`") && told.contains("`object=twin;id=%02`"), "{told}");
        let signer = build(builder(bed, "object=twin;id=%02")).unwrap();
        sign_verified(bed, &signer, &PublicKey::from_pem(&bed.public_key_pem("02")).unwrap());
    });
}

#[test]
fn the_public_half_comes_from_wherever_it_is() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let rsa = PublicKey::from_pem(&bed.public_key_pem("01")).unwrap();
        bed.delete_public("01");
        let signer = build(builder(bed, "object=rsa")).unwrap();
        assert_eq!(signer.key_info().public_key(), &rsa, "from the private object");

        bed.generate_p256("02", "ec");
        let ec = PublicKey::from_pem(&bed.public_key_pem("02")).unwrap();
        bed.delete_public("02");
        let error = build(builder(bed, "object=ec")).unwrap_err();
        assert!(whole(&error).contains("no public half"), "{}", whole(&error));
        let signer = build(builder(bed, "object=ec").with_public_key(ec.clone())).unwrap();
        assert_eq!(signer.key_info().public_key(), &ec, "from the options");
        sign(&signer).unwrap();
        let error = build(builder(bed, "object=ec").with_public_key(rsa)).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Key, "of another algorithm: {}", whole(&error));
    });
}

#[test]
fn a_certificate_will_do_and_a_wrong_one_is_found_out() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        let file = |name: &str| bed.folder().join(name).to_str().unwrap().to_owned();
        let openssl = |arguments: &str| {
            let arguments = arguments.replace("FOLDER", bed.folder().to_str().unwrap());
            let output = Command::new("openssl").args(arguments.split(' ')).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        for (id, name) in [("01", "right"), ("02", "wrong")] {
            openssl("ecparam -name prime256v1 -genkey -noout -out FOLDER/key.pem");
            bed.import(id, name, &std::fs::read_to_string(file("key.pem")).unwrap());
            bed.delete_public(id);
            if name == "wrong" {
                openssl("ecparam -name prime256v1 -genkey -noout -out FOLDER/key.pem");
            }
            openssl("req -x509 -new -key FOLDER/key.pem -subj /CN=x -outform DER -out FOLDER/cert.der");
            bed.write_certificate(id, file("cert.der").as_ref());
        }
        sign(&build(builder(bed, "object=right")).unwrap()).unwrap();
        let error = build(builder(bed, "object=wrong")).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Untrusted, "{}", whole(&error));
        assert!(whole(&error).contains("the certificate with the same id"), "{}", whole(&error));
    });
}

#[test]
fn a_public_object_of_another_key_is_warned_of() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let right = PublicKey::from_pem(&bed.public_key_pem("01")).unwrap();
        for (id, bits) in [("02", 1024), ("03", 2048), ("04", 3072)] {
            bed.generate_rsa(id, "other", bits);
            let other = bed.folder().join("other.der");
            std::fs::write(&other, PublicKey::from_pem(&bed.public_key_pem(id)).unwrap().spki_der()).unwrap();
            bed.delete_public("01");
            let other = other.to_str().unwrap();
            bed.tool(["--write-object", other, "--type", "pubkey", "--id", "01", "--label", "rsa"]);
            let signer = build(builder(bed, "object=rsa")).unwrap();
            sign_verified(bed, &signer, &right);
            let info = signer.key_info();
            assert_eq!(info.public_key(), &right, "{bits}");
            assert!(info.warnings().concat().contains("another key's"), "{bits}: {info:?}");
        }
    });
}

#[test]
fn a_module_that_writes_pins_down_is_warned_of() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let spy = bed.folder().join("pkcs11-spy.so");
        std::fs::copy(bed.module(), &spy).unwrap();
        let uri = bed.uri("object=rsa").replace(bed.module().to_str().unwrap(), spy.to_str().unwrap());
        let builder = soticket_signer_pkcs11::Pkcs11Signer::builder(uri.parse().unwrap());
        let signer = build(builder.with_pin(crate::support::pin(bed.pin()))).unwrap();
        assert!(signer.key_info().warnings().concat().contains("pkcs11-spy"), "{:?}", signer.key_info());
    });
}

#[test]
fn a_key_that_can_leave_is_warned_of_or_refused() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate("01", "loose", "rsa:2048", &["--extractable"]);
        let signer = build(builder(bed, "object=loose")).unwrap();
        assert_eq!(signer.key_info().exportability(), Exportability::Exportable);
        assert_eq!(signer.attributes().extractable, Some(true));
        assert!(signer.key_info().warnings().concat().contains("CKA_EXTRACTABLE is true"));
        let error = build(builder(bed, "object=loose").require_non_extractable()).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Key);
        assert!(whole(&error).contains("CKA_EXTRACTABLE is true"), "{}", whole(&error));
        bed.generate_rsa("02", "tight", 2048);
        build(builder(bed, "object=tight").require_non_extractable()).unwrap();
    });
}

#[test]
fn keys_that_cannot_be_used_are_refused_by_what_they_are() {
    isolated!(Device::SoftHsm.setup(), |bed: &Bed| {
        bed.generate("01", "p384", "EC:secp384r1", &[]);
        make_a_key_that_may_not_sign(bed, "idle");
        let error = build(builder(bed, "object=p384")).unwrap_err();
        assert!(whole(&error).contains("P-256"), "{}", whole(&error));
        let error = build(builder(bed, "object=idle")).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Key);
        assert!(whole(&error).contains("CKA_SIGN"), "{}", whole(&error));
    });
}

/// pkcs11-tool makes none.
fn make_a_key_that_may_not_sign(bed: &Bed, label: &str) {
    use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
    use cryptoki::mechanism::Mechanism;
    use cryptoki::object::Attribute;
    let module = Pkcs11::new(bed.module()).unwrap();
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    let session = module.open_rw_session(slot).unwrap();
    session.login(cryptoki::session::UserType::User, Some(&bed.pin().to_owned().into())).unwrap();
    let named = [Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(vec![2])];
    let public = [&named[..], &[Attribute::ModulusBits(2048.into())]].concat();
    let private = [&named[..], &[Attribute::Sign(false), Attribute::Decrypt(true)]].concat();
    session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private).unwrap();
    drop(session);
    module.finalize().unwrap();
}

#[test]
fn the_mechanism_is_chosen_by_the_list_and_a_trial() {
    let hidden = |mechanisms: &str| Device::SoftHsm.faulty().with_env("P11FAULT_HIDE_MECHANISMS", mechanisms);
    isolated!(hidden("0x1"), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        bed.generate_p256("02", "ec");
        assert_eq!(build(builder(bed, "object=rsa")).unwrap().mechanism(), "CKM_SHA256_RSA_PKCS");
        assert_eq!(build(builder(bed, "object=ec")).unwrap().mechanism(), "CKM_ECDSA");
        // Listed, and refused all the same: the next one is tried.
        bed.faults().set("C_SignInit 0 1 0x70 before\n");
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        assert_eq!(error.kind(), SignerErrorKind::Refused, "{}", whole(&error));
    });
}

#[test]
fn a_mechanism_that_is_listed_and_refused_gives_way_to_the_next() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        bed.faults().set("C_SignInit 0 1 0x70 before\n");
        assert_eq!(build(builder(bed, "object=rsa")).unwrap().mechanism(), "CKM_SHA256_RSA_PKCS");
        // A mechanism that signs something else does not pass for one that works.
        bed.faults().set("C_Sign 0 1 0 wrongkey\n");
        assert_eq!(build(builder(bed, "object=rsa")).unwrap().mechanism(), "CKM_SHA256_RSA_PKCS");
    });
}

#[test]
fn a_token_without_a_mechanism_says_what_is_wanted() {
    let only = "slots.mechanisms = CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS_OAEP";
    isolated!(Device::SoftHsm.setup().with_softhsm_setting(only), |bed: &Bed| {
        bed.generate_rsa("01", "rsa", 2048);
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        assert!(whole(&error).contains("CKM_RSA_PKCS nor CKM_SHA256_RSA_PKCS"), "{}", whole(&error));
    });
}

#[test]
fn a_module_that_does_not_load_or_start_is_told_with_the_cure() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let text = bed.folder().join("text.so");
        std::fs::write(&text, "no library").unwrap();
        let library = "/usr/lib/x86_64-linux-gnu/libc.so.6";
        for (path, cure) in [
            ("/no/such.so", "cannot be read"),
            (text.to_str().unwrap(), "cannot be loaded"),
            (library, "cannot be loaded"),
        ] {
            let uri = format!("pkcs11:token=lab?module-path={path}").parse().unwrap();
            let error = build(soticket_signer_pkcs11::Pkcs11Signer::builder(uri)).unwrap_err();
            assert_eq!(error.kind(), SignerErrorKind::Configuration);
            assert!(whole(&error).contains(cure) && whole(&error).contains(path), "{}", whole(&error));
        }
        bed.faults().set("C_Initialize 0 1 0x5 before\n");
        let error = build(builder(bed, "object=rsa")).unwrap_err();
        assert!(whole(&error).contains("C_Initialize answered CKR_GENERAL_ERROR"), "{}", whole(&error));
    });
}
