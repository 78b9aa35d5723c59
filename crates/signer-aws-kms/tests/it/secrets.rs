//! No credential shows: not in what is returned, not in what is logged, whatever happens.

use std::io;
use std::sync::{Arc, Mutex};

use soticket_core::TokenSigner as _;
use soticket_signer_aws_kms::aws_sdk_kms::Client;
use soticket_signer_aws_kms::aws_sdk_kms::config::Credentials;
use soticket_signer_conformance::TestKey;

use crate::fault_server::{Answer, FaultServer, REQUEST_ID};
use crate::support::{MESSAGE, settings, sign, signer, whole};

const SECRET: &str = "wJalrXUtnFEMIhunter2bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "FwoGZXIvYXdzEhunter2SessionTokenEXAMPLE";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Of our own crates and the SDK's, at the highest verbosity.
#[tokio::test]
async fn no_credential_shows_in_errors_debug_output_or_logs() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    // For the whole process: one for this thread would miss what another one, without any, was first to reach.
    tracing::subscriber::set_global_default(subscriber.with_writer(move || writer.clone()).finish()).unwrap();
    let server = FaultServer::start(TestKey::Rsa2048).await;
    let credentials =
        Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET, Some(SESSION.to_owned()), None, "test");
    let client = Client::from_conf(settings(&server.url, "", "").credentials_provider(credentials).build());
    let signer = signer(&client, "alias/partner").await.unwrap();
    let signature = sign(&signer).await.unwrap();
    let mut shown = format!("{signer:?} {:?} {signature:?}", signer.key_info());
    let echo = format!("the canonical request was x-amz-security-token:{SESSION} under {SECRET}");
    for code in [
        "InvalidSignatureException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "MissingAuthenticationTokenException",
        "SomethingNew",
    ] {
        server.answer("Sign", [Answer::Saying(400, code, echo.clone())]);
        let error = sign(&signer).await.unwrap_err();
        shown += &format!("{}\n{error:?}\n", whole(&error));
    }
    for answer in [Answer::Page(403), Answer::Code(400, "AccessDeniedException")] {
        server.answer("Sign", [answer]);
        let error = sign(&signer).await.unwrap_err();
        shown += &format!("{}\n{error:?}\n", whole(&error));
    }
    let logged = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("AWS KMS signed") && logged.contains(REQUEST_ID),
        "nothing was captured: {logged}"
    );
    let message = std::str::from_utf8(MESSAGE).unwrap();
    for (name, secret) in [("secret key", SECRET), ("session token", SESSION), ("message", message)] {
        assert!(!shown.contains(secret), "the {name} shows in {shown}");
        assert!(!logged.contains(secret), "the {name} is logged: {}", around(&logged, secret));
    }
    assert!(
        !logged.contains(&signature.to_base64()),
        "the signature is logged: {}",
        around(&logged, &signature.to_base64())
    );
}

/// The line that holds it.
fn around<'a>(text: &'a str, part: &str) -> &'a str {
    text.lines().find(|line| line.contains(part)).unwrap_or_default()
}
