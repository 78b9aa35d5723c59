//! The key in AWS KMS: from SuperOffice's file to a ticket, by the library, the program and the guide's commands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use soticket::aws_kms::aws_sdk_kms::Client;
use soticket::aws_kms::aws_sdk_kms::config::{BehaviorVersion, Config, Credentials, Region};
use soticket::aws_kms::{AwsKmsSigner, import_key};
use soticket::pem::{KeySource, Passphrase, PrivateKey};
use soticket::{SystemUserClient, TokenSigner as _};
use soticket_emulator::Sample;
use soticket_tests::{LoginService, root, shell, soticket};

use crate::support::{Service, partner_key_xml, tenant};

const SECRET: &str = "wJalrXUtnFEMIhunter2bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "FwoGZXIvYXdzEhunter2SessionTokenEXAMPLE";

fn double() -> String {
    std::env::var("SOTICKET_TEST_KMS").expect("SOTICKET_TEST_KMS is not set: run `cargo xtask kms-test`")
}

/// A name that no other test has.
fn unique(name: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("alias/{name}-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

/// Imports go one at a time: the stand-in makes a wrapping key of 4096 bits for each, and answers nobody meanwhile.
fn turn_to_import() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn client() -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(double())
        .credentials_provider(Credentials::new("test", "test", None, None, "test"));
    Client::from_conf(config.build())
}

#[tokio::test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
#[expect(clippy::await_holding_lock, reason = "nothing else runs on this test's runtime")]
async fn a_ticket_is_had_with_the_key_in_aws_kms() {
    let source = KeySource::memory("partner", partner_key_xml().as_bytes().to_vec());
    let key = PrivateKey::read(&source, Passphrase::none()).unwrap();
    let (alias, pkcs8) = (unique("exchange").parse().unwrap(), key.key().to_pkcs8_der().unwrap());
    let turn = turn_to_import();
    import_key(&client(), &alias, &pkcs8, key.key().public_key()).await.unwrap();
    drop(turn);
    let signer = AwsKmsSigner::new(client(), alias).await.unwrap();
    assert_eq!(signer.key_info().public_key(), key.key().public_key());
    let service = Service::start().await;
    let secret = Sample::CLIENT_SECRET.parse().unwrap();
    let client = SystemUserClient::builder(service.environment(), secret, std::sync::Arc::new(signer))
        .build()
        .unwrap();
    assert!(client.ticket(&tenant()).await.unwrap().expose().starts_with("7T:"));
}

/// A login service with its application's key in a file, and the stand-in to bring it to.
struct Desk {
    service: LoginService,
    uri: String,
}

impl Desk {
    fn new(name: &str) -> Self {
        let uri = format!("awskms:///{}?region=eu-central-1&endpoint-url={}", unique(name), double());
        Self { service: LoginService::start(), uri }
    }

    /// What the program says, in which no credential shows.
    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = soticket();
        self.service.settings_for(&mut command).env("SOTICKET_SIGNER", &self.uri).args(arguments);
        let _turn = arguments.contains(&"import").then(turn_to_import);
        let output = with_credentials(&mut command).output().unwrap();
        let shown = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
        for credential in [SECRET, SESSION] {
            assert!(!shown.contains(credential), "{arguments:?}: a credential shows in {shown}");
        }
        output
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {shown}{}", String::from_utf8_lossy(&output.stderr));
        shown
    }

    #[track_caller]
    fn failed(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments);
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
        shown
    }

    /// OpenSSL's view of a signed system token, by the public half of the XML file.
    fn openssl_verifies(&self, signed: &str) {
        let folder = self.service.folder();
        let xml = std::fs::read_to_string(folder.join("partner.xml")).unwrap();
        let modulus = xml.split_once("<Modulus>").unwrap().1.split('<').next().unwrap();
        let modulus = BASE64_STANDARD.decode(modulus).unwrap();
        let modulus: String = modulus.iter().map(|byte| format!("{byte:02X}")).collect();
        self.done(&[
            "key",
            "convert",
            "partner.xml",
            "--to",
            "pkcs8",
            "--out",
            "check.pem",
            "--public-out",
            "public.pem",
        ]);
        let (message, signature) = signed.trim_end().rsplit_once('.').unwrap();
        std::fs::write(folder.join("message"), message).unwrap();
        std::fs::write(folder.join("signature.b64"), signature).unwrap();
        let script = "openssl base64 -d -A -in signature.b64 -out signature && \
                      openssl dgst -sha256 -verify public.pem -signature signature message && \
                      openssl rsa -pubin -in public.pem -noout -modulus";
        let output = Command::new("sh").args(["-c", script]).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.ends_with(&format!("Modulus={modulus}\n")), "{shown}");
    }
}

fn with_credentials(command: &mut Command) -> &mut Command {
    command.env("AWS_ACCESS_KEY_ID", "test");
    command.env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_SESSION_TOKEN", SESSION)
}

/// Import, look, take a ticket; the file is not needed any more.
#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn from_superoffices_file_to_a_ticket() {
    let desk = Desk::new("partner");
    let shown = desk.done(&["key", "import", "--from", "partner.xml"]);
    assert!(shown.contains("imported awskms:///arn:aws:kms:eu-central-1:"), "{shown}");
    assert!(
        shown.contains("signature verifies") && shown.contains("shred --remove 'partner.xml'"),
        "{shown}"
    );
    desk.openssl_verifies(&desk.done(&["sign"]));
    std::fs::remove_file(desk.service.folder().join("partner.xml")).unwrap();
    assert!(desk.done(&["ticket"]).starts_with("7T:"));
    let doctor = desk.done(&["doctor", "--exchange"]);
    assert!(doctor.contains("signs, and its signature verifies"), "{doctor}");
    let inspected: Value =
        serde_json::from_str(&desk.done(&["key", "inspect", &desk.uri, "--format", "json"])).unwrap();
    assert_eq!(
        (&inspected["backend"], &inspected["private_half"]),
        (&"aws-kms".into(), &"cannot leave its place".into())
    );
    assert_eq!(inspected["attributes"]["KeySpec"], "RSA_2048");
    assert!(desk.done(&["ticket", "--require-non-extractable"]).starts_with("7T:"));
}

/// The guide's three commands, as it prints them, but for the alias.
#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn the_guide_leads_to_a_ticket() {
    let service = LoginService::start();
    let guide = std::fs::read_to_string(root().join("docs/kms.md")).unwrap();
    let block = guide.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(block.matches("\nsoticket ").count(), 3, "{block}");
    let mut shell = shell();
    service.settings_for(&mut shell).env_remove("SOTICKET_SIGNER").env("AWS_ENDPOINT_URL_KMS", double());
    shell.args(["-ec", &block.replace("alias/superoffice-partner", &unique("guide"))]);
    let turn = turn_to_import();
    let output = with_credentials(&mut shell).output().unwrap();
    drop(turn);
    assert!(output.status.success(), "{block}{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.lines().any(|line| line.starts_with("7T:")), "no ticket: {shown}");
}

#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn an_import_may_be_repeated_and_takes_nothing_over() {
    let desk = Desk::new("repeated");
    desk.done(&["key", "import", "--from", "partner.xml"]);
    assert!(desk.done(&["key", "import", "--from", "partner.xml"]).contains("is there already"));
    desk.done(&["key", "generate", "--out", "other.pem"]);
    let told = desk.failed(&["key", "import", "--from", "other.pem"], 3);
    assert!(told.contains("another key"), "{told}");
    let told = desk.failed(&["key", "import", "--from", "missing.pem"], 2);
    assert!(told.contains("missing.pem"), "{told}");
}

/// Each failure by its exit code, with what to do; and no credential in any of them, at the highest verbosity.
#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn failures_are_told_apart_and_show_no_credential() {
    let desk = Desk::new("missing");
    let ticket = ["-vvv", "ticket", "--signer"];
    let uri = |key: &str, rest: &str| format!("awskms:///{key}?endpoint-url={}{rest}", double());
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    for (uri, code, told) in [
        (desk.uri.clone(), 3, "there is no such key"),
        (uri("alias/x", ""), 2, "AWS_REGION"),
        (uri("alias/x", "&region=eu-central-1&profile=missing"), 2, "profile"),
        (uri(arn, "&region=eu-central-1"), 2, "eu-west-1"),
        ("awskms:///alias/x?region=eu-central-1&endpoint-url=http://127.0.0.1:9".to_owned(), 3, "reach"),
        ("awskms:///alias/x?endpoint-url=http://kms.example".to_owned(), 2, "loopback"),
        ("awskms://alias/x".to_owned(), 2, "three slashes"),
    ] {
        let shown = desk.failed(&[&ticket[..], &[&uri]].concat(), code);
        assert!(shown.contains(told), "{uri}: {shown}");
    }
    let output = desk.output(&["-vvv", "key", "import", "--from", "partner.xml"]);
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && shown.contains("AWS KMS signed"), "nothing was logged: {shown}");
    let key = std::fs::read_to_string(desk.service.folder().join("partner.xml")).unwrap();
    let private = key.split_once("<D>").unwrap().1.split('<').next().unwrap();
    assert!(!shown.contains(private), "a secret shows in {shown}");
}

/// A profile that the URI names goes before the environment, which has credentials that nobody knows; one of a role makes
/// the SDK ask for the role's first, in the Region that the profile names.
#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn a_profile_goes_before_the_environment_and_may_be_that_of_a_role() {
    let desk = Desk::new("profile");
    desk.done(&["key", "import", "--from", "partner.xml"]);
    let strict = std::env::var("SOTICKET_TEST_KMS_AUTH").expect("SOTICKET_TEST_KMS_AUTH is not set");
    let config = "[profile owner]\naws_access_key_id = test\naws_secret_access_key = test\nregion = eu-central-1\n\
                  [profile role]\nrole_arn = arn:aws:iam::000000000000:role/signer\nsource_profile = owner\n\
                  region = eu-central-1\n";
    std::fs::write(desk.service.folder().join("config"), config).unwrap();
    let alias = desk.uri.split('?').next().unwrap();
    let run = |uri: &str| {
        let mut command = soticket();
        desk.service.settings_for(&mut command).args(["key", "inspect", uri]);
        command.env("AWS_CONFIG_FILE", "config").env("AWS_ENDPOINT_URL_STS", double());
        command.env("AWS_REGION", "us-east-1");
        with_credentials(&mut command).env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWNUNKNOWN00").output().unwrap()
    };
    let unknown = format!("awskms:///alias/nothing?region=eu-central-1&endpoint-url={strict}");
    let told = |output: Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told(run(&unknown)).contains("does not know these credentials"));
    assert!(told(run(&format!("{unknown}&profile=owner"))).contains("there is no such key"));
    let output = run(&format!("{alias}?profile=role&endpoint-url={}", double()));
    assert!(output.status.success(), "{}", told(output));
}

/// The environment names another one, which has no such key.
#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn the_region_of_an_arn_goes_before_the_environment() {
    let desk = Desk::new("placed");
    let imported = desk.done(&["key", "import", "--from", "partner.xml"]);
    let uri = imported.split_whitespace().find(|word| word.starts_with("awskms:///arn:")).unwrap();
    assert!(!uri.contains("region="), "{uri}");
    let mut command = soticket();
    desk.service.settings_for(&mut command).args(["key", "inspect", uri]);
    let output = with_credentials(&mut command).env("AWS_REGION", "us-east-1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where the program wants to go, as a proxy on the way sees it, which lets nobody through.
#[test]
fn fips_and_dual_stack_endpoints_and_proxies_are_the_sdks_own_settings() {
    let service = LoginService::start();
    for (variables, host) in [
        (&[][..], "kms.eu-central-1.amazonaws.com"),
        (&["AWS_USE_FIPS_ENDPOINT"], "kms-fips.eu-central-1.amazonaws.com"),
        (&["AWS_USE_DUALSTACK_ENDPOINT"], "kms.eu-central-1.api.aws"),
        (&["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"], "kms-fips.eu-central-1.api.aws"),
    ] {
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut command = soticket();
        let inspect = ["key", "inspect", "awskms:///alias/x?region=eu-central-1"];
        service.settings_for(&mut command).args(inspect).env_remove("NO_PROXY").env_remove("no_proxy");
        let address = proxy.local_addr().unwrap();
        command.env("HTTPS_PROXY", format!("http://{address}"));
        command.envs(variables.iter().map(|variable| (variable, "true")));
        let run = std::thread::spawn(move || {
            let output = with_credentials(&mut command).output().unwrap();
            // Who waits for a program that took another way is told that nothing came.
            let _ = TcpStream::connect(address);
            output
        });
        let mut stream = proxy.accept().unwrap().0;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        drop((stream, proxy));
        assert_eq!(line.trim_end(), format!("CONNECT {host}:443 HTTP/1.1"));
        assert_eq!(run.join().unwrap().status.code(), Some(3));
    }
}

/// One listener is both: what is meant for a proxy names the host in its first line.
#[test]
fn no_proxy_is_asked_for_an_endpoint_on_this_machine() {
    let service = LoginService::start();
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut command = soticket();
        let inspect = ["key", "inspect", "awskms:///alias/x?region=eu-central-1"];
        service.settings_for(&mut command).args(inspect).env_remove("NO_PROXY").env_remove("no_proxy");
        command.env(variable, format!("http://{address}")).env("HTTP_PROXY", format!("http://{address}"));
        let run = std::thread::spawn(move || {
            let output = with_credentials(&mut command).output().unwrap();
            let _ = TcpStream::connect(address);
            output
        });
        let mut stream = listener.accept().unwrap().0;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        drop((stream, listener));
        assert_eq!(line.trim_end(), "POST / HTTP/1.1", "{variable}");
        assert_eq!(run.join().unwrap().status.code(), Some(3));
    }
}

/// Whoever names it.
#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn credentials_never_go_over_plain_http_to_another_machine() {
    let desk = Desk::new("plain");
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"] {
        let mut command = soticket();
        desk.service.settings_for(&mut command).args([
            "key",
            "inspect",
            "awskms:///alias/x?region=eu-central-1",
        ]);
        let output = with_credentials(&mut command).env(variable, "http://192.0.2.1").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("plain http") && told.contains("AWS_ENDPOINT_URL"), "{told}");
    }
}

/// 1024 bits, as SuperOffice issued keys years ago.
#[test]
#[ignore = "needs ministack, which cargo xtask kms-test starts"]
fn an_old_key_is_refused_with_what_to_do() {
    let desk = Desk::new("old");
    let old = root().join("crates/signer-conformance/testdata/rsa1024.pem");
    let told = desk.failed(&["key", "import", "--from", old.to_str().unwrap()], 3);
    assert!(told.contains("1024") && told.contains("SuperOffice"), "{told}");
}
