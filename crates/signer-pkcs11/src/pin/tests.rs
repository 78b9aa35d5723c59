//! Where PINs come from, and that none is empty, shown, or tried twice.

use super::*;

fn file(name: &str, contents: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("soticket-pin-{}-{name}", std::process::id()));
    std::fs::write(&path, contents).unwrap();
    path
}

fn resolved(pin: Pin) -> String {
    pin.resolve(None).unwrap().expose().to_owned()
}

#[test]
fn a_pin_comes_from_a_text_a_file_or_a_callback() {
    assert_eq!(resolved(Pin::text("1234".to_owned().into())), "1234");
    assert_eq!(resolved(Pin::callback(|| Ok("12 34".to_owned().into()))), "12 34");
    let path = file("ends", " 12 34 \r\n");
    assert_eq!(resolved(Pin::file(&path)), " 12 34 ", "only line ends are cut off");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_uri_comes_first() {
    let uri = UriPin::Value("from the URI".to_owned().into());
    let pin = Pin::text("from elsewhere".to_owned().into()).resolve(Some(&uri)).unwrap();
    assert_eq!(pin.expose(), "from the URI");
}

#[test]
fn an_empty_pin_never_reaches_a_token() {
    let (empty, blank) = (file("empty", ""), file("blank", "\n"));
    for pin in [
        Pin::none(),
        Pin::text(String::new().into()),
        Pin::callback(|| Ok(String::new().into())),
        Pin::file(&empty),
        Pin::file(&blank),
        Pin::file("/nonexistent/pin"),
        Pin::file(std::env::temp_dir()),
        Pin::environment("SOTICKET_NO_SUCH_VARIABLE"),
    ] {
        let told = format!("{pin:?}");
        let error = pin.resolve(None).expect_err(&told);
        assert_eq!(error.kind(), SignerErrorKind::Configuration, "{told}");
    }
    std::fs::remove_file(empty).unwrap();
    std::fs::remove_file(blank).unwrap();
}

#[test]
fn a_refused_pin_is_remembered_for_its_token() {
    let pin = |text: &str| Pin::text(text.to_owned().into()).resolve(None).unwrap();
    assert!(!was_refused("module, token a", &pin("0000")));
    remember_refused("module, token a", &pin("0000"));
    assert!(was_refused("module, token a", &pin("0000")));
    assert!(!was_refused("module, token a", &pin("1234")));
    assert!(!was_refused("module, token b", &pin("0000")));
}

#[test]
fn a_pin_is_not_shown() {
    let pin = Pin::text("s3cret".to_owned().into());
    assert!(!format!("{pin:?}").contains("s3cret"));
    assert!(!format!("{:?}", pin.resolve(None).unwrap()).contains("s3cret"));
}
