//! The key in a token: from SuperOffice's file to a ticket, by the library, the program and the guide.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use soticket::{OpenSignerOptions, SignerUri, SystemUserClient, SystemUserTicket};
use soticket_emulator::Sample;
use soticket_pkcs11_testbed::{Bed, Device, Faults, Setup, faulty_module, isolated};
use soticket_tests::{LoginService, root, shell, soticket};
use tempfile::TempDir;

use crate::support::{Service, partner_key_xml, tenant};

/// A ticket, had by a client whose key is in the token and nowhere else.
async fn ticket(uri: &str, pin: &'static str) -> SystemUserTicket {
    let service = Service::start().await;
    let uri: SignerUri = uri.parse().unwrap();
    let signer = uri.open(OpenSignerOptions::new().with_pin(|| Ok(pin.to_owned().into()))).await.unwrap();
    let secret = Sample::CLIENT_SECRET.parse().unwrap();
    let client = SystemUserClient::builder(service.environment(), secret, signer).build().unwrap();
    client.ticket(&tenant()).await.unwrap()
}

fn exchange(bed: &Bed) {
    let key = soticket::pem::PrivateKey::read(
        &soticket::pem::KeySource::memory("partner", partner_key_xml().as_bytes().to_vec()),
        soticket::pem::Passphrase::none(),
    );
    bed.import("01", "partner", key.unwrap().key().to_pkcs8_pem().unwrap().expose());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ticket = runtime.block_on(ticket(&bed.uri("object=partner"), bed.pin()));
    assert!(ticket.expose().starts_with("7T:"));
}

#[test]
fn a_ticket_is_had_with_the_key_in_softhsm() {
    isolated!(Device::SoftHsm.setup(), exchange);
}

#[test]
fn a_ticket_is_had_with_the_key_in_another_process() {
    isolated!(Device::P11Kit.setup(), exchange);
}

#[test]
fn a_ticket_is_had_with_the_key_in_nss() {
    isolated!(Device::Nss.setup(), exchange);
}

#[test]
#[ignore = "needs kryoptic, which cargo xtask softhsm-test builds"]
fn a_ticket_is_had_with_the_key_in_kryoptic() {
    isolated!(Device::Kryoptic.setup(), exchange);
}

/// A login service, its application's key in a file, and a SoftHSM token.
struct Desk {
    service: LoginService,
    token: TempDir,
    environment: Vec<(String, OsString)>,
}

const PIN: &str = "1234";

impl Desk {
    fn new() -> Self {
        Self::with(&Device::SoftHsm.setup())
    }

    fn with(setup: &Setup) -> Self {
        let token = tempfile::tempdir().unwrap();
        let environment = setup.prepare(token.path());
        Self { service: LoginService::start(), token, environment }
    }

    fn uri(&self, object: &str) -> String {
        format!("pkcs11:token=lab;{object}?module-name=softhsm2").replace(";?", "?")
    }

    fn folder(&self) -> &Path {
        self.service.folder()
    }

    /// A command with the settings of the service and the token.
    fn command(&self, mut command: Command) -> Command {
        self.service.settings_for(&mut command);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("SOTICKET_PKCS11_PIN", PIN);
        command
    }

    fn soticket(&self, arguments: &[&str]) -> Output {
        self.command(soticket()).args(arguments).output().unwrap()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.soticket(arguments);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {shown}{}", String::from_utf8_lossy(&output.stderr));
        shown
    }

    #[track_caller]
    fn failed(&self, arguments: &[&str], code: i32) -> String {
        let output = self.soticket(arguments);
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
        shown
    }
}

#[test]
fn a_key_moves_from_superoffices_file_into_the_token_and_gets_tickets_there() {
    let desk = Desk::new();
    let uri = desk.uri("object=partner");
    let told = desk.done(&["key", "import", "--from", "partner.xml", "--signer", &uri]);
    assert!(
        told.contains("the signature verifies") && told.contains("shred --remove 'partner.xml'"),
        "{told}"
    );
    std::fs::remove_file(desk.folder().join("partner.xml")).unwrap();
    let signer = ["--signer", uri.as_str()];
    assert!(desk.done(&[&["ticket"], &signer[..]].concat()).starts_with("7T:"));
    let required = ["ticket", "--require-non-extractable"];
    assert!(desk.done(&[&required, &signer[..]].concat()).starts_with("7T:"));
    desk.done(&[&["doctor", "--exchange"], &signer[..]].concat());
}

#[test]
fn keys_are_made_listed_and_inspected_in_the_token() {
    let desk = Desk::new();
    let uri = desk.uri("object=new;id=%07");
    let made = desk.done(&["key", "generate", "--signer", &uri, "--public-out", "new.pem"]);
    assert!(made.contains("object=new;id=%07") && made.contains("RS256 with 2048 bits"), "{made}");
    desk.failed(&["key", "generate", "--signer", &uri], 3);
    let listed: Value =
        serde_json::from_str(&desk.done(&["key", "list", "--signer", &desk.uri(""), "--format", "json"]))
            .unwrap();
    let key = &listed["keys"][0];
    assert_eq!(
        (key["label"].as_str(), key["id"].as_str(), key["bits"].as_u64()),
        (Some("new"), Some("07"), Some(2048))
    );
    assert_eq!(key["attributes"]["CKA_SENSITIVE"], true);
    assert_eq!(key["attributes"]["CKA_EXTRACTABLE"], false);
    // What is listed can be used as it stands.
    let found = format!("{}?module-name=softhsm2", key["uri"].as_str().unwrap());
    let public = desk.done(&["key", "inspect", &found, "--public"]);
    assert_eq!(public, std::fs::read_to_string(desk.folder().join("new.pem")).unwrap());
    let told = desk.done(&["key", "inspect", &found]);
    assert!(told.contains("cannot leave its place") && told.contains("CKM_RSA_PKCS"), "{told}");
    let text = desk.done(&["key", "list", "--signer", &desk.uri("")]);
    assert!(text.contains("RSA   2048  yes        no           object=new;id=%07"), "{text}");
}

#[test]
fn what_is_wrong_with_a_token_is_told_by_exit_code_and_link() {
    let desk = Desk::new();
    let uri = desk.uri("object=new");
    desk.done(&["key", "generate", "--signer", &uri]);
    let wrong_pin = |arguments: &[&str]| {
        desk.command(soticket()).args(arguments).env("SOTICKET_PKCS11_PIN", "9999").output().unwrap()
    };
    let refused = wrong_pin(&["key", "inspect", &uri]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3));
    assert!(told.contains("CKR_PIN_INCORRECT (0x000000A0)") && !told.contains("9999"), "{told}");
    let missing = desk.failed(&["key", "inspect", &desk.uri("object=old")], 3);
    assert!(missing.contains("object=new"), "{missing}");
    desk.failed(&["key", "inspect", "pkcs11:token=lab?module-path=/no/such.so"], 2);
    desk.failed(&["key", "inspect", "pkcs11:tokem=lab?module-name=softhsm2"], 2);
    desk.failed(&["ticket", "--require-non-extractable"], 3);

    let output = wrong_pin(&["doctor", "--format", "json", "--signer", &uri]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcome = |check: &str| {
        let checks = findings["checks"].as_array().unwrap();
        checks.iter().find(|found| found["check"] == check).unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!((outcome("PKCS#11 module"), outcome("token")), ("ok".into(), "ok".into()));
    assert_eq!(
        (outcome("login"), outcome("key"), outcome("signer")),
        ("failed".into(), "skipped".into(), "skipped".into())
    );
}

/// Tokens may keep the private half alone.
#[test]
fn a_public_half_in_a_file_is_enough_for_doctor_and_inspect() {
    let desk = Desk::with(&Device::SoftHsm.faulty());
    let uri = format!("pkcs11:token=lab;object=new?module-path={}", faulty_module().display());
    let generate = ["key", "generate", "--type", "p256", "--signer", &uri, "--public-out", "new.pem"];
    desk.done(&generate);
    let mut delete = desk.command(Command::new("pkcs11-tool"));
    delete.arg("--module").arg(faulty_module()).args(["--token-label", "lab", "--login", "--pin", PIN]);
    let deleted = delete.args(["--delete-object", "--type", "pubkey", "--label", "new"]).status().unwrap();
    assert!(deleted.success());
    let signs = |arguments: &[&str]| {
        let output = desk.soticket(&[&["doctor", "--signer", &uri], arguments].concat());
        String::from_utf8(output.stdout).unwrap().contains("signs, and its signature verifies")
    };
    assert!(!signs(&[]));
    assert!(signs(&["--signer-public-key", "new.pem"]));
    assert!(!desk.soticket(&["key", "inspect", &uri]).status.success());
    let shown = desk.done(&["key", "inspect", &uri, "--signer-public-key", "new.pem", "--public"]);
    assert_eq!(shown, std::fs::read_to_string(desk.folder().join("new.pem")).unwrap());
}

#[test]
fn a_pin_comes_from_a_file_and_never_from_the_command_line() {
    let desk = Desk::new();
    let uri = desk.uri("object=new");
    desk.done(&["key", "generate", "--signer", &uri]);
    std::fs::write(desk.folder().join("pin.txt"), format!("{PIN}\n")).unwrap();
    let without = |arguments: &[&str]| {
        desk.command(soticket()).args(arguments).env_remove("SOTICKET_PKCS11_PIN").output().unwrap()
    };
    assert!(without(&["key", "inspect", &uri, "--pkcs11-pin-file", "pin.txt"]).status.success());
    let source = format!("{uri}&pin-source={}", desk.folder().join("pin.txt").display());
    assert!(without(&["key", "inspect", &source]).status.success());
    let missing = without(&["key", "inspect", &uri]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("SOTICKET_PKCS11_PIN"));
    let refused = without(&["key", "inspect", &uri, "--pin", PIN]);
    assert_eq!(refused.status.code(), Some(2));
    std::fs::write(
        desk.folder().join("soticket.toml"),
        format!("signer = \"{uri}\"\npkcs11-pin-file = \"pin.txt\"\n"),
    )
    .unwrap();
    let mut command = desk.command(soticket());
    let output = command
        .arg("ticket")
        .env_remove("SOTICKET_PKCS11_PIN")
        .env_remove("SOTICKET_SIGNER")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(4),
        "the key is there, and is not the one that is registered: {told}"
    );
}

/// As a service manager ends it: what it has open in the device is closed, and the module shut down.
#[test]
fn a_program_that_is_terminated_leaves_the_device_in_order() {
    let desk = Desk::with(&Device::SoftHsm.faulty());
    let uri = format!("pkcs11:token=lab;object=partner?module-path={}", faulty_module().display());
    desk.done(&["key", "import", "--from", "partner.xml", "--signer", &uri]);
    let faults = Faults::new(desk.token.path());
    let (shut_down, signed) = (faults.count("C_Finalize"), faults.count("C_Sign"));
    // The probe when it opens is quick, and not what is waited for; the signature itself takes its time.
    faults.set("C_Sign 1 1 0 before 1000\n");
    let mut program = desk.command(soticket()).args(["ticket", "--signer", &uri]).spawn().unwrap();
    let signing = || faults.count("C_Sign") == signed + 2;
    let waited = (0..500).any(|_| {
        std::thread::park_timeout(std::time::Duration::from_millis(10));
        signing()
    });
    assert!(waited, "it never signs");
    Command::new("sh").args(["-c", &format!("kill -TERM {}", program.id())]).status().unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(1));
    assert_eq!(faults.count("C_Finalize"), shut_down + 1);
    faults.assert_no_finalize_during_a_call();
    faults.assert_sessions_are_their_epochs();
}

/// The guide's commands, as it prints them, one shell a block.
#[test]
fn the_guide_leads_to_a_ticket() {
    let desk = Desk::new();
    let guide = std::fs::read_to_string(root().join("docs/hsm.md")).unwrap();
    let blocks: Vec<_> =
        guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 4);
    let mut shown = String::new();
    for block in blocks {
        let mut shell = desk.command(shell());
        shell
            .args(["-ec", block])
            .env("PIN", "2468")
            .env("SO_PIN", "13579246")
            .env_remove("SOTICKET_PKCS11_PIN");
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{block}{}", String::from_utf8_lossy(&output.stderr));
        shown += &String::from_utf8(output.stdout).unwrap();
    }
    assert!(shown.lines().any(|line| line.starts_with("7T:")), "no ticket: {shown}");
    assert!(shown.contains("object=partner-2"), "{shown}");
    assert!(desk.token.path().join("tokens").is_dir());
}
