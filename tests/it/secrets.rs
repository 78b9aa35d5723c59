//! No secret shows anywhere but where it is asked for: library and program, at trace level, through success and
//! every failure.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use base64::Engine as _;
use soticket::pem::{KeySource, PemSigner};
use soticket::store::FileStore;
use soticket::{ApiClient, SignedSystemToken, SystemClock, TicketCache, Transport};
use soticket_emulator::{Fault, FaultyBody, JwtDefect, Refusal, Sample, Scope, Times};
use soticket_tests::{LoginService, soticket};

use crate::support::{Service, over_each, partner_key_xml, signer, tenant};

const PASSPHRASE: &str = "correct horse battery staple";

/// What must not be seen, each with a name for the failure.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn of_the_sample(key_xml: &str) -> Self {
        let mut secrets = vec![
            ("client secret", Sample::CLIENT_SECRET.to_owned()),
            ("system user token", Sample::SYSTEM_USER_TOKEN.to_owned()),
            ("ticket", "7T:".to_owned()),
            // Every JWT and JWK thumbprint aside, this is how a JSON header begins in Base64url.
            ("JWT", "eyJhbGciOi".to_owned()),
            ("JWT", "eyJ0eXAiOi".to_owned()),
            ("passphrase", PASSPHRASE.to_owned()),
        ];
        for part in ["P", "Q", "DP", "DQ", "InverseQ", "D"] {
            secrets.extend(private_number(key_xml, part).into_iter().map(|text| ("private key", text)));
        }
        Self(secrets)
    }

    fn assert_absent(&self, output: &str, scene: &str) {
        for (name, secret) in &self.0 {
            assert!(!output.contains(secret.as_str()), "{scene}: the {name} shows in:\n{output}");
        }
    }
}

/// A number of a private key in each form that a careless `Debug` or log could give it.
fn private_number(key_xml: &str, part: &str) -> [String; 4] {
    let base64 = key_xml.split_once(&format!("<{part}>")).unwrap().1.split('<').next().unwrap();
    let bytes = base64::prelude::BASE64_STANDARD.decode(base64).unwrap();
    // A part tells as much as the whole, and survives line breaks.
    let some = &bytes[..16];
    let hexadecimal: String = some.iter().map(|byte| format!("{byte:02x}")).collect();
    let decimal: Vec<_> = some.iter().map(u8::to_string).collect();
    [base64[..20].to_owned(), hexadecimal.to_uppercase(), hexadecimal, decimal.join(", ")]
}

thread_local! {
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Everything that is logged by this thread, of every crate.
///
/// One subscriber for the whole process: one for each thread would miss what another thread, without a
/// subscriber, was first to reach.
struct Captured;

impl Captured {
    fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            tracing_log::LogTracer::init().unwrap();
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
            let subscriber = subscriber.with_writer(|| Self).with_ansi(false).finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        LOGGED.take();
        Self
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&LOGGED.take()).into_owned()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error with everything that can be shown of it.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(|error| format!("{error}\n{error:?}\n")).collect()
}

fn faults() -> Vec<Fault> {
    let mut faults: Vec<_> = JwtDefect::ALL.iter().map(|&defect| Fault::jwt(defect)).collect();
    faults.extend(Refusal::ALL.iter().map(|&code| Fault::Refusal { code, text: Some(echo()) }));
    for body in [FaultyBody::Empty, FaultyBody::Html, FaultyBody::Garbage, FaultyBody::Huge(1 << 22)] {
        faults.push(Fault::Status { status: 200, body: body.clone() });
        faults.push(Fault::Status { status: 503, body });
    }
    faults.extend([
        Fault::Drop,
        Fault::DropMidBody,
        Fault::WithoutToken,
        Fault::SamlToken,
        Fault::InternalError,
    ]);
    faults.push(Fault::Redirect { status: 307, location: "http://127.0.0.1:9/".into() });
    faults
}

/// A service that is careless itself.
fn echo() -> String {
    format!("refused for {} and {}", Sample::CLIENT_SECRET, Sample::SYSTEM_USER_TOKEN)
}

#[tokio::test]
async fn the_library_shows_no_secret_through_success_and_every_failure() {
    over_each(shows_no_secret).await;
}

async fn shows_no_secret(transport: Transport) {
    let captured = Captured::start();
    let service = Service::over(transport).await;
    let secrets = Secrets::of_the_sample(partner_key_xml());
    let client = service.client();
    let ticket = client.ticket(&tenant()).await.unwrap();
    let mut shown = format!("{ticket:?} {client:?} {:?} {:?}", tenant(), signer());
    shown += &format!(
        "{:?}",
        SignedSystemToken::build(tenant().system_user_token(), &SystemClock, &signer()).await
    );
    shown += &format!("{:?}", client.jwt(&tenant()).await);
    for fault in faults() {
        service.spoil_next_exchange(fault.clone());
        match client.ticket(&tenant()).await {
            Ok(_) => panic!("{fault:?} was not noticed"),
            Err(error) => shown += &whole(&error),
        }
    }
    secrets.assert_absent(&shown, "what the library returns");
    let logged = captured.text();
    assert!(logged.contains("exchanging"), "nothing was captured");
    secrets.assert_absent(&logged, "what the library logs");
    assert!(!logged.contains(ticket.expose()) && !shown.contains(ticket.expose()));
}

#[tokio::test]
async fn calls_to_an_api_show_no_secret_through_success_and_every_failure() {
    let captured = Captured::start();
    let service = Service::start().await;
    let secrets = Secrets::of_the_sample(partner_key_xml());
    let api = ApiClient::new(TicketCache::new(service.client()));
    let path = "v1/User/currentPrincipal?hush=hush";
    let mut shown = format!("{:?} {api:?}", api.get(&tenant(), path).await.unwrap().status());
    let faults = service.emulator.faults();
    for scope in [Scope::Api, Scope::State] {
        for fault in [
            Fault::Drop,
            Fault::Status { status: 403, body: FaultyBody::Html },
            Fault::Status { status: 421, body: FaultyBody::Empty },
            Fault::Status { status: 503, body: FaultyBody::Garbage },
            Fault::Redirect { status: 307, location: "http://127.0.0.1:9/".into() },
            Fault::OtherAddress { api: format!("http://{}@127.0.0.1/", Sample::CLIENT_SECRET) },
        ] {
            faults.set(Vec::new());
            faults.queue(scope, Times::UntilCleared, fault);
            let api = ApiClient::new(TicketCache::new(service.client()));
            if let Err(error) = api.get(&tenant(), path).await {
                shown += &whole(&error);
            }
        }
    }
    for path in ["/hush", "https://example.com/hush", "../hush", "hush\\"] {
        shown += &whole(&api.get(&tenant(), path).await.unwrap_err());
    }
    let logged = captured.text();
    secrets.assert_absent(&shown, "what calls to an API return");
    assert!(shown.contains("the API of Cust12345") && !shown.contains("hush"), "{shown}");
    assert!(logged.contains("called the API"), "nothing was captured");
    secrets.assert_absent(&logged, "what calls to an API log");
}

#[tokio::test]
async fn kept_tickets_show_no_secret_in_their_files_and_in_no_failure_of_them() {
    const KEY: &str = "9f8b1c0de2a4567788990011223344556677889900aabbccddeeff0011223344";
    const OTHER_KEY: &str = "0f8b1c0de2a4567788990011223344556677889900aabbccddeeff0011223344";
    let captured = Captured::start();
    let service = Service::start().await;
    let mut secrets = Secrets::of_the_sample(partner_key_xml());
    secrets.0.extend([("store key", KEY.to_owned()), ("store key", OTHER_KEY.to_owned())]);
    let folder = tempfile::tempdir().unwrap();
    let mut shown = String::new();
    // Kept, found again, under another key, damaged.
    for (key, is_damaged) in [(KEY, false), (KEY, false), (OTHER_KEY, false), (OTHER_KEY, true)] {
        if is_damaged {
            for file in files_below(folder.path()) {
                let bytes = std::fs::read(&file).unwrap();
                std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
            }
        }
        let store = FileStore::open(folder.path(), key.parse().unwrap()).unwrap();
        let cache = TicketCache::builder(service.client()).with_store(store).build();
        let ticket = cache.ticket(&tenant()).await.unwrap();
        shown += &format!("{cache:?} {:?} {ticket:?}", cache.statistics());
    }
    for file in files_below(folder.path()) {
        shown += &format!("{} {}", file.display(), String::from_utf8_lossy(&std::fs::read(&file).unwrap()));
    }
    let logged = captured.text();
    assert!(shown.contains("SOTK"), "there is a record");
    secrets.assert_absent(&shown, "what a cache with a store shows and keeps");
    assert!(logged.contains("is not trusted"), "nothing was captured");
    secrets.assert_absent(&logged, "what a cache with a store logs");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn the_key_file_signer_shows_no_secret_when_a_key_is_damaged() {
    let captured = Captured::start();
    let xml = partner_key_xml();
    let secrets = Secrets::of_the_sample(xml);
    let swapped = xml.replace("<D>", "<X>").replace("</D>", "</X>");
    for damaged in
        [xml.replace("<P>", "<Q>"), xml[..xml.len() / 2].to_owned(), swapped, xml.replacen('A', "B", 9)]
    {
        let source = KeySource::memory("damaged", damaged.into_bytes());
        let shown = format!("{source:?}");
        let error = PemSigner::builder(source).build().unwrap_err();
        secrets.assert_absent(&(shown + &whole(&error)), "an error of the signer");
    }
    secrets.assert_absent(&captured.text(), "the log of the signer");
}

/// The settings of a good run at the highest verbosity.
fn verbose(service: &LoginService) -> Command {
    let mut command = soticket();
    service.settings_for(&mut command).arg("-vvv").env("RUST_BACKTRACE", "1").env("SOTICKET_LOG", "trace");
    command
}

fn run(command: &mut Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[test]
fn the_program_shows_secrets_only_where_they_are_asked_for() {
    let service = LoginService::start();
    let key = std::fs::read_to_string(service.folder().join("partner.xml")).unwrap();
    let secrets = Secrets::of_the_sample(&key);

    let (output, out, err) = run(verbose(&service).arg("ticket"));
    assert!(output.status.success(), "{err}");
    assert!(out.starts_with("7T:"), "the ticket is what was asked for");
    assert!(!err.is_empty(), "nothing was logged at trace level");
    secrets.assert_absent(&err, "soticket ticket");

    let (output, out, err) = run(verbose(&service).args(["ticket", "--transport", "soap"]));
    assert!(output.status.success() && out.starts_with("7T:"), "{err}");
    secrets.assert_absent(&err, "soticket ticket --transport soap");

    let (output, signed, err) = run(verbose(&service).arg("sign"));
    assert!(output.status.success(), "{err}");
    assert!(signed.starts_with(Sample::SYSTEM_USER_TOKEN), "the signed system token is what was asked for");
    secrets.assert_absent(&err, "soticket sign");
    assert!(!err.contains(signed.trim_end().rsplit_once('.').unwrap().1), "the signature shows in the log");

    for arguments in [&["doctor", "--exchange"][..], &["key", "inspect", "partner.xml"]] {
        let (output, out, err) = run(verbose(&service).args(arguments));
        assert!(output.status.success(), "{arguments:?}: {err}");
        secrets.assert_absent(&(out + &err), &format!("soticket {arguments:?}"));
    }
}

#[test]
fn the_program_shows_no_secret_in_any_failure() {
    let service = LoginService::start();
    let key = std::fs::read_to_string(service.folder().join("partner.xml")).unwrap();
    let secrets = Secrets::of_the_sample(&key);
    std::fs::write(service.folder().join("damaged.xml"), key.replace("<P>", "<Q>")).unwrap();
    let encrypt = ["key", "convert", "partner.xml", "--to", "pkcs8", "--encrypt", "--out", "encrypted.pem"];
    let mut command = soticket();
    service.settings_for(&mut command).args(encrypt).env("SOTICKET_NEW_KEY_PASSPHRASE", PASSPHRASE);
    let (output, out, err) = run(&mut command);
    assert!(output.status.success(), "{err}");
    secrets.assert_absent(&(out + &err), "soticket key convert");

    for (setting, value) in [
        ("SOTICKET_SIGNER", "damaged.xml"),
        ("SOTICKET_SIGNER", "encrypted.pem"),
        ("SOTICKET_SIGNER", "missing.pem"),
        ("SOTICKET_CONTEXT", "Cust54321"),
        ("SOTICKET_CONTEXT", "not a tenant"),
        ("SOTICKET_ENVIRONMENT", "http://127.0.0.1:9"),
        ("SOTICKET_ENVIRONMENT", "nonsense"),
        ("SOTICKET_CA_FILE", "partner.xml"),
        ("SOTICKET_CLIENT_SECRET", "5f2b7c1e9d044c5f8a3b6e7d90c1f2a5"),
        ("SOTICKET_SYSTEM_USER_TOKEN", "My Sample App v1.0-pzqc70604i\nx"),
    ] {
        let mut command = verbose(&service);
        command.arg("ticket").env(setting, value).env("SOTICKET_KEY_PASSPHRASE", "not the passphrase");
        let (output, out, err) = run(&mut command);
        assert!(!output.status.success(), "{setting}={value} is no failure");
        let shown = out + &err;
        secrets.assert_absent(&shown, &format!("{setting}={value}"));
        assert!(!shown.contains("not the passphrase") && !shown.contains("1f2a5"), "{shown}");
    }
}
