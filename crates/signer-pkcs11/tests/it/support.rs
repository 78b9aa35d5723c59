//! Signers over a test's token, and what is asked of them.

use std::error::Error as StdError;
use std::process::Command;
use std::time::Duration;

use soticket_core::{PublicKey, Signature, SignerError, TokenSigner as _};
use soticket_pkcs11_testbed::Bed;
use soticket_signer_pkcs11::{CallError, Pin, Pkcs11Signer, Pkcs11SignerBuilder};

pub(crate) const MESSAGE: &[u8] = b"My App-pzqc70604i.202611231559";

/// A builder for the key that the path attributes mean, with the right PIN.
pub(crate) fn builder(bed: &Bed, object: &str) -> Pkcs11SignerBuilder {
    let uri = bed.uri(object).parse().unwrap();
    Pkcs11Signer::builder(uri).with_pin(pin(bed.pin())).with_restart_interval(Duration::from_millis(100))
}

pub(crate) fn pin(text: &str) -> Pin {
    Pin::text(text.to_owned().into())
}

/// Runs on two threads, as a service does.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(future)
}

pub(crate) fn build(builder: Pkcs11SignerBuilder) -> Result<Pkcs11Signer, SignerError> {
    block_on(builder.build())
}

/// A signer for an RSA key that is made for it, id 01.
pub(crate) fn rsa_signer(bed: &Bed) -> Pkcs11Signer {
    bed.generate_rsa("01", "rsa", 2048);
    build(builder(bed, "object=rsa")).unwrap()
}

pub(crate) fn sign(signer: &Pkcs11Signer) -> Result<Signature, SignerError> {
    block_on(signer.sign(MESSAGE))
}

/// Signs, and has OpenSSL verify that.
#[track_caller]
pub(crate) fn sign_verified(bed: &Bed, signer: &Pkcs11Signer, key: &PublicKey) {
    let signature = sign(signer).unwrap_or_else(|error| panic!("{}", whole(&error)));
    assert!(key.verify(MESSAGE, &signature).is_ok());
    if key.bits() > 256 {
        openssl_verifies(bed, key, &signature);
    }
}

#[track_caller]
pub(crate) fn openssl_verifies(bed: &Bed, key: &PublicKey, signature: &Signature) {
    let file = |name: &str, contents: &[u8]| {
        let path = bed.folder().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    };
    let public = file("verify.pem", key.to_pem().as_bytes());
    let (message, signature) =
        (file("verify.message", MESSAGE), file("verify.signature", signature.as_bytes()));
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-verify"]).arg(public).arg("-signature").arg(signature).arg(message);
    let output = openssl.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An error with all its causes.
pub(crate) fn whole(error: &(dyn StdError + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join("; caused by: ")
}

/// The code that the module answered, as the error tells it.
pub(crate) fn code(error: &SignerError) -> Option<u64> {
    error.source()?.downcast_ref::<CallError>()?.code()
}

/// Waits until `holds`, at most ten seconds.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "threads of the signer are waited for in real time")]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within ten seconds: {what}");
}
