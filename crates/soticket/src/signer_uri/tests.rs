//! Which texts name which keys, and what is said of those that name none.

use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<SignerUri, ParseSignerUriError> {
    text.parse()
}

#[test]
fn a_path_is_a_key_file_with_or_without_a_scheme() {
    for (text, path) in [
        ("partner.pem", "partner.pem"),
        ("keys/partner.xml", "keys/partner.xml"),
        ("/etc/partner.pem", "/etc/partner.pem"),
        ("./odd:name.pem", "./odd:name.pem"),
        (r"C:\keys\partner.pem", r"C:\keys\partner.pem"),
        ("file:partner.pem", "partner.pem"),
        ("FILE:partner.pem", "partner.pem"),
        ("file:/etc/partner.pem", "/etc/partner.pem"),
        ("file:///etc/partner.pem", "/etc/partner.pem"),
        ("file://localhost/etc/partner.pem", "/etc/partner.pem"),
        ("file:///etc/my%20key.pem", "/etc/my key.pem"),
    ] {
        assert_eq!(parse(text).unwrap().as_file(), Some(Path::new(path)), "{text}");
    }
}

#[test]
fn what_names_no_key_is_refused_with_the_reason() {
    use ParseSignerUriError as E;
    assert_eq!(parse(""), Err(E::Empty));
    assert_eq!(parse("file:"), Err(E::NoPath));
    assert_eq!(parse("file://server/key.pem"), Err(E::OtherHost("server".into())));
    assert_eq!(parse("file:///etc/%FF.pem"), Err(E::NotText));
    assert_eq!(parse("vault:secret/key"), Err(E::UnknownScheme("vault".into())));
    assert_eq!(parse("https://example.com/key"), Err(E::UnknownScheme("https".into())));
}

#[test]
fn a_pin_in_a_uri_is_never_shown() {
    for uri in [
        "pkcs11:token=lab;object=partner?module-path=/m.so&pin-value=1234",
        "pkcs11:token=lab?pin-value=1234&module-path=/m.so",
        "pkcs11:token=lab?%70in-value=1234",
        "pkcs11:token=lab?PIN-VALUE=1234",
        "pkcs11:token=lab;pin-value=1234",
        "pkcs11:pin-value=1234",
    ] {
        let parsed = parse(uri).unwrap();
        let shown = format!("{parsed} {parsed:?}");
        assert!(!shown.contains("1234"), "{shown}");
    }
    let shown = parse("pkcs11:token=lab?pin-value=1234&module-path=/m.so").unwrap().to_string();
    assert_eq!(shown, "pkcs11:token=lab?pin-value=[redacted]&module-path=/m.so");
}

#[tokio::test]
async fn a_key_without_a_backend_is_a_configuration_error_without_the_pin() {
    let uri = parse("pkcs11:token=lab?pin-value=1234").unwrap();
    let error = uri.open(OpenSignerOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration);
    assert!(error.to_string().contains("PKCS#11") && !error.to_string().contains("1234"), "{error}");
}

#[cfg(not(feature = "pem"))]
#[tokio::test]
async fn a_backend_that_was_not_compiled_in_names_its_feature() {
    let error = parse("partner.pem").unwrap().open(OpenSignerOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration);
    assert!(error.to_string().contains("cargo feature `pem`"), "{error}");
}

#[cfg(feature = "pem")]
#[tokio::test]
async fn a_key_file_that_is_missing_is_named() {
    let error = parse("no/such/key.pem").unwrap().open(OpenSignerOptions::new()).await.unwrap_err();
    assert!(error.to_string().contains("no/such/key.pem"), "{error}");
}
