//! What a PKCS#11 URI may hold, and what it may not.

use super::*;

fn uri(text: &str) -> Pkcs11Uri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> ParsePkcs11UriError {
    text.parse::<Pkcs11Uri>().expect_err(text)
}

#[test]
fn every_path_attribute_is_understood_and_shown_again() {
    let text = "pkcs11:library-manufacturer=M;library-description=D;library-version=2.6;slot-manufacturer=S;\
                slot-description=Slot%20one;slot-id=7;token=my%20token;manufacturer=Acme;serial=0%2f1;model=v2;\
                object=partner%3B1;id=%01%ff;type=private?module-path=/usr/lib/x.so&pin-source=file:/run/pin";
    let shown = uri(text).to_string();
    assert_eq!(uri(&shown).to_string(), shown);
    for part in ["slot-id=7", "token=my%20token", "object=partner%3B1", "id=%01%ff", "pin-source=/run/pin"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn an_id_is_bytes_and_not_hexadecimal() {
    assert_eq!(uri("pkcs11:id=0a10").object_id(), Some(&b"0a10"[..]));
    assert_eq!(uri("pkcs11:id=%0a%10").object_id(), Some(&[0x0a, 0x10][..]));
}

#[test]
fn a_pin_is_decoded_and_never_shown() {
    let uri = uri("pkcs11:token=lab?pin-value=12%3434");
    assert!(matches!(&uri.pin, Some(UriPin::Value(pin)) if pin.expose() == "12434"));
    for shown in [uri.to_string(), format!("{uri:?}")] {
        assert!(!shown.contains("434") && shown.contains("[redacted]"), "{shown}");
    }
}

#[test]
fn no_error_repeats_a_pin() {
    for text in [
        "pkcs11:token=lab?pin-value=s3cret%zz",
        "pkcs11:token=lab?pin-value=s3cret%ff",
        "pkcs11:token=lab?pin-value=s3cret&pin-value=s3cret",
        "pkcs11:token=lab?pin-source=/x&pin-value=s3cret",
        "pkcs11:pin-value=s3cret",
        "pkcs11:s3cret",
    ] {
        let error = refused(text);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{text}: {error:?}");
    }
}

#[test]
fn the_source_of_a_pin_is_a_file() {
    for text in ["file:/run/pin", "file:///run/pin", "file://localhost/run/pin", "/run/pin"] {
        let uri = uri(&format!("pkcs11:?pin-source={text}"));
        assert!(matches!(&uri.pin, Some(UriPin::Source(path)) if path.as_os_str() == "/run/pin"), "{text}");
    }
    assert_eq!(refused("pkcs11:?pin-source=|cat%20/pin"), ParsePkcs11UriError::PinCommand);
    assert_eq!(refused("pkcs11:?pin-source=%7Ccat"), ParsePkcs11UriError::PinCommand);
    assert_eq!(refused("pkcs11:?pin-source=file://host/pin"), ParsePkcs11UriError::PinSource);
    assert_eq!(refused("pkcs11:?pin-source=file:"), ParsePkcs11UriError::PinSource);
    assert_eq!(refused("pkcs11:?pin-value="), ParsePkcs11UriError::EmptyPin);
}

#[test]
fn what_is_not_understood_is_refused() {
    use ParsePkcs11UriError as Error;
    assert_eq!(refused("token=lab"), Error::Scheme);
    assert_eq!(refused("awskms:///x"), Error::Scheme);
    assert_eq!(refused("pkcs11:token=a;token=b"), Error::Duplicate("token".into()));
    assert_eq!(refused("pkcs11:tokem=a"), Error::UnknownAttribute("tokem".into()));
    assert_eq!(refused("pkcs11:token"), Error::NoValue(1));
    assert_eq!(refused("pkcs11:token=a;"), Error::NoValue(2));
    assert_eq!(refused("pkcs11:token="), Error::EmptyValue("token".into()));
    assert_eq!(refused("pkcs11:token=50%"), Error::PercentEncoding("token".into()));
    assert_eq!(refused("pkcs11:token=%ff"), Error::NotText("token".into()));
    assert_eq!(refused("pkcs11:type=cert"), Error::NotAPrivateKey("cert".into()));
    assert_eq!(refused("pkcs11:slot-id=0x1"), Error::SlotId);
    assert_eq!(refused("pkcs11:?module-path=x.so"), Error::RelativeModule);
    assert_eq!(refused("pkcs11:?module-name=../x"), Error::ModuleNameIsPath);
    assert_eq!(refused("pkcs11:?module-name=x&module-path=/x"), Error::TwoModules);
    assert_eq!(refused("pkcs11:?pin=1"), Error::UnknownQuery("pin".into()));
}

#[test]
fn a_makers_own_query_attribute_is_told_of_and_changes_nothing() {
    assert_eq!(uri("pkcs11:token=a?x-vendor=1").ignored, ["x-vendor"]);
}

#[test]
fn a_uri_without_attributes_leaves_everything_open() {
    assert_eq!(uri("pkcs11:").to_string(), "pkcs11:");
    assert_eq!(uri("PKCS11:token=a").to_string(), "pkcs11:token=a");
}
