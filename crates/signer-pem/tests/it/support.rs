//! Test keys, signers over them, and the openssl command line as the independent judge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use soticket_core::{PublicKey, SecretText, Signature, SignerError, SigningAlgorithm, TokenSigner};
use soticket_signer_pem::{KeyError, KeySource, LoadedKey, Passphrase, PemSigner, PrivateKey};

pub(crate) const PASSPHRASE: &str = "test passphrase";
pub(crate) const MESSAGE: &[u8] = b"My App-pzqc70604i.202611231200";

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap()
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::text(SecretText::new(PASSPHRASE.to_owned()))
}

pub(crate) fn parse(contents: impl AsRef<[u8]>) -> Result<LoadedKey, KeyError> {
    PrivateKey::parse(contents.as_ref(), Passphrase::none())
}

pub(crate) fn refusal(contents: impl AsRef<[u8]>) -> String {
    parse(contents).expect_err("this must be refused").to_string()
}

pub(crate) fn build(name: &str) -> Result<PemSigner, SignerError> {
    let builder = PemSigner::builder(KeySource::file(path(name)));
    let builder = if is_encrypted(name) { builder.with_passphrase(passphrase()) } else { builder };
    builder.build()
}

pub(crate) fn build_from(contents: impl AsRef<[u8]>) -> Result<PemSigner, SignerError> {
    PemSigner::builder(KeySource::memory("given", contents.as_ref().to_vec())).build()
}

pub(crate) fn is_encrypted(name: &str) -> bool {
    name.contains("pbkdf2") || name.contains("scrypt")
}

pub(crate) fn sign(signer: &dyn TokenSigner) -> Signature {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(signer.sign(MESSAGE)).unwrap()
}

/// The public key that openssl wrote beside the private one.
pub(crate) fn expected_public_key(key: &str) -> PublicKey {
    PublicKey::from_pem(&text(&format!("{key}.public.pem"))).unwrap()
}

/// Fails when openssl is missing, as the tests' promise is that openssl agrees.
pub(crate) fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output =
        Command::new("openssl").args(arguments).output().expect("the openssl command line is needed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?} failed: {stderr}");
    output.stdout
}

pub(crate) fn assert_openssl_verifies(key: &str, algorithm: SigningAlgorithm, signature: &Signature) {
    let folder = tempfile::tempdir().unwrap();
    let [message, stored] = ["message", "signature"].map(|name| folder.path().join(name));
    fs::write(&message, MESSAGE).unwrap();
    fs::write(&stored, openssl_form(algorithm, signature)).unwrap();
    let public = path(&format!("{key}.public.pem"));
    let [message, stored, public] = [&message, &stored, &public].map(|path| path.to_str().unwrap());
    let answer = openssl(&["dgst", "-sha256", "-verify", public, "-signature", stored, message]);
    assert_eq!(String::from_utf8(answer).unwrap().trim(), "Verified OK");
}

/// OpenSSL wants ECDSA signatures in DER.
fn openssl_form(algorithm: SigningAlgorithm, signature: &Signature) -> Vec<u8> {
    match algorithm {
        SigningAlgorithm::Es256 => {
            assert_eq!(signature.as_bytes().len(), 64, "r and s, 32 bytes each");
            p256::ecdsa::Signature::from_slice(signature.as_bytes()).unwrap().to_der().as_bytes().to_vec()
        }
        _ => signature.as_bytes().to_vec(),
    }
}
