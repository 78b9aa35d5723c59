//! Programs that we did not write against the emulator, and against our signatures.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use soticket::pem::{KeySource, KeyType, PemSigner, PrivateKey};
use soticket::{SignedSystemToken, SystemClock};
use soticket_emulator::Sample;
use soticket_tests::{program, root};

fn node_folder() -> std::path::PathBuf {
    root().join("tests/node")
}

/// Runs `script` in a network and mount namespace of its own, where `sod.superoffice.com` is this machine and
/// port 443 is free, for a client that knows SuperOffice's hosts only.
fn run_with_hosts_entry(folder: &Path, script: &str) -> Output {
    std::fs::write(folder.join("hosts"), "127.0.0.1 localhost sod.superoffice.com\n").unwrap();
    let script = format!("set -eu\nip link set lo up\nmount --bind \"$FOLDER/hosts\" /etc/hosts\n{script}");
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--net", "--mount", "sh", "-c", &script]);
    unshare
        .env("FOLDER", folder)
        .env("SOTICKET", program())
        .env("NODE_CLIENT", node_folder().join("client.js"));
    unshare.output().unwrap()
}

const UNMODIFIED_CLIENT: &str = r#"
"$SOTICKET" emulator --listen 127.0.0.1:443 --tls-dir "$FOLDER/tls" --sample-key "$FOLDER/partner.xml" > "$FOLDER/line" 2> "$FOLDER/log" &
emulator=$!
trap 'kill $emulator' EXIT
until grep -q 'listening on' "$FOLDER/line"; do kill -0 $emulator || { cat "$FOLDER/log" >&2; exit 1; }; sleep 0.05; done
"$SOTICKET" key convert "$FOLDER/partner.xml" --to pkcs8 --out "$FOLDER/partner.pem" >&2
export NODE_EXTRA_CA_CERTS="$FOLDER/tls/ca.pem"
export HOST=sod.superoffice.com CERTIFICATE="$FOLDER/tls/federated-login.pem" PRIVATE_KEY="$FOLDER/partner.pem"
node "$NODE_CLIENT"
"#;

#[test]
fn a_node_client_with_axios_and_jsonwebtoken_gets_a_ticket_from_the_emulator_as_superoffice() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "export CLIENT_SECRET='{}' SYSTEM_USER_TOKEN='{}' CONTEXT='{}'\n{UNMODIFIED_CLIENT}",
        Sample::CLIENT_SECRET,
        Sample::SYSTEM_USER_TOKEN,
        Sample::CONTEXT
    );
    let output = run_with_hosts_entry(folder.path(), &script);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let claim = |name: &str| &answer["claims"][format!("http://schemes.superoffice.net/identity/{name}")];
    assert_eq!(claim("ctx"), Sample::CONTEXT);
    assert!(claim("ticket").as_str().unwrap().starts_with("7T:"));
    assert!(answer["principal"].is_object(), "the API accepted the ticket: {answer}");
}

/// A signed system token by a new key, and the key's public half as a PEM file.
async fn signed(folder: &Path, key_type: KeyType) -> String {
    let key = PrivateKey::generate(key_type).unwrap();
    std::fs::write(folder.join("public.pem"), key.public_key().to_pem()).unwrap();
    let signer = PemSigner::builder(KeySource::memory("test", key.to_pkcs8_der().unwrap())).build().unwrap();
    let token = "My App. v2-pzqc70604i".parse().unwrap();
    let signed = SignedSystemToken::build(&token, &SystemClock, &signer).await.unwrap();
    signed.to_secret_text().expose().to_owned()
}

fn run_with_input(command: &mut Command, input: &[u8]) -> bool {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait().unwrap().success()
}

#[tokio::test]
async fn node_verifies_our_signature_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let text = signed(folder.path(), KeyType::Rsa2048).await;
    let verify = |text: &str| {
        let mut node = Command::new("node");
        node.arg(node_folder().join("verify.js")).arg(folder.path().join("public.pem"));
        run_with_input(&mut node, text.as_bytes())
    };
    assert!(verify(&text));
    assert!(!verify(&text.replace("pzqc", "pzqd")));
}

#[tokio::test]
async fn openssl_verifies_our_signature_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for key_type in [KeyType::Rsa2048, KeyType::Rsa4096] {
        let text = signed(folder.path(), key_type).await;
        let (message, signature) = text.rsplit_once('.').unwrap();
        let mut decode = Command::new("openssl");
        decode.args(["base64", "-d", "-A", "-out"]).arg(folder.path().join("signature"));
        assert!(run_with_input(&mut decode, signature.as_bytes()));
        let verify = |message: &str| {
            let mut openssl = Command::new("openssl");
            openssl.args(["dgst", "-sha256", "-verify"]).arg(folder.path().join("public.pem"));
            openssl.arg("-signature").arg(folder.path().join("signature"));
            run_with_input(&mut openssl, message.as_bytes())
        };
        assert!(verify(message));
        assert!(!verify(&message.replace("pzqc", "pzqd")));
    }
}
