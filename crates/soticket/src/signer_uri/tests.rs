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
    assert_eq!(parse("").unwrap_err(), E::Empty);
    assert_eq!(parse("file:").unwrap_err(), E::NoPath);
    assert_eq!(parse("file://server/key.pem").unwrap_err(), E::OtherHost("server".into()));
    assert_eq!(parse("file:///etc/%FF.pem").unwrap_err(), E::NotText);
    assert_eq!(parse("vault:secret/key").unwrap_err(), E::UnknownScheme("vault".into()));
    assert_eq!(parse("https://example.com/key").unwrap_err(), E::UnknownScheme("https".into()));
}

/// A PIN where it belongs and where it does not; what is refused repeats none either.
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
        let shown = match parse(uri) {
            Ok(parsed) => format!("{parsed} {parsed:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("1234"), "{shown}");
    }
    let shown = parse("pkcs11:token=lab?module-path=/m.so&pin-value=1234").unwrap().to_string();
    assert_eq!(shown, "pkcs11:token=lab?module-path=/m.so&pin-value=[redacted]");
}

#[cfg(not(feature = "pkcs11"))]
#[tokio::test]
async fn a_token_without_its_backend_names_the_feature_and_not_the_pin() {
    let uri = parse("pkcs11:token=lab?pin-value=1234").unwrap();
    let error = uri.open(OpenSignerOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration);
    assert!(
        error.to_string().contains("cargo feature `pkcs11`") && !error.to_string().contains("1234"),
        "{error}"
    );
}

#[cfg(feature = "pkcs11")]
#[tokio::test]
async fn a_token_is_opened_through_its_module() {
    let uri = parse("pkcs11:token=lab?pin-value=1234&module-path=/no/such/module.so").unwrap();
    assert!(uri.as_pkcs11().is_some());
    let error = uri.open(OpenSignerOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration);
    assert!(
        error.to_string().contains("/no/such/module.so") && !error.to_string().contains("1234"),
        "{error}"
    );
}

#[cfg(not(feature = "aws-kms"))]
#[tokio::test]
async fn aws_kms_without_its_backend_names_the_feature() {
    let error = parse("awskms:///alias/partner").unwrap().open(OpenSignerOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Configuration);
    assert!(error.to_string().contains("cargo feature `aws-kms`"), "{error}");
}

#[cfg(feature = "aws-kms")]
#[test]
fn a_key_in_aws_kms_is_understood_or_refused_with_the_reason() {
    let uri = parse("awskms:///alias/partner?region=eu-central-1").unwrap();
    assert_eq!(uri.as_aws_kms().unwrap().region(), Some("eu-central-1"));
    assert_eq!(uri.to_string(), "awskms:///alias/partner?region=eu-central-1");
    assert!(matches!(parse("awskms://alias/partner"), Err(ParseSignerUriError::AwsKms(_))));
}

#[cfg(feature = "pem")]
#[tokio::test]
async fn a_key_file_is_no_key_that_cannot_leave_its_place() {
    let options = OpenSignerOptions::new().require_non_extractable();
    let error = parse("partner.pem").unwrap().open(options).await.unwrap_err();
    assert_eq!(error.kind(), SignerErrorKind::Key);
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
