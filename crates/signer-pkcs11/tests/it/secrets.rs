//! No PIN and no key shows in anything that is logged, returned or debugged, through success and failure.

use std::io;
use std::sync::{Arc, Mutex};

use soticket_pkcs11_testbed::{Bed, Device, isolated};
use soticket_signer_conformance::TestKey;
use soticket_signer_pkcs11::{Pkcs11Signer, Pkcs11Uri, TokenAccess};

use crate::support::{block_on, build, builder, pin, sign};

/// Longer than anything that could stand in a log by chance.
const WRONG: &str = "wr0ng-pin-48151623";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that is logged by any crate, on any thread of this process.
fn capture() -> Log {
    let log = Log::default();
    tracing_log::LogTracer::init().unwrap();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log
}

#[test]
fn nothing_secret_shows_through_success_and_failure() {
    isolated!(Device::SoftHsm.faulty(), |bed: &Bed| {
        let log = capture();
        bed.change_pin("right-pin-23421316");
        let right = "right-pin-23421316";
        let mut shown = String::new();
        let uri: Pkcs11Uri = format!("{}&pin-value={right}", bed.uri("object=rsa")).parse().unwrap();
        let access = TokenAccess::new(uri.clone()).with_pin(pin(WRONG));
        shown += &format!("{uri} {uri:?} {access:?}");
        let key = TestKey::Rsa2048;
        let (_, der) = der::pem::decode_vec(key.private_pem().as_bytes()).unwrap();
        shown += &format!("{:?}", block_on(access.import(der.into())));
        let signer = build(Pkcs11Signer::builder(uri)).unwrap();
        shown += &format!("{signer:?} {:?}", sign(&signer));
        bed.faults().set("C_Sign 0 5 0x30 before\n");
        shown += &format!("{:?}", sign(&signer));
        bed.faults().clear();
        shown += &format!("{:?}", build(builder(bed, "object=missing").with_pin(pin(right))));
        drop(signer);
        shown += &format!("{:?}", build(builder(bed, "object=rsa").with_pin(pin(WRONG))));
        for text in ["pin-value=x%zz", "pin-source=/x&pin-value=", "pin-value="] {
            let broken = format!("pkcs11:token=lab?{text}{WRONG}&{text}");
            shown += &format!("{:?}", broken.parse::<Pkcs11Uri>());
        }
        let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
        assert!(logged.contains("module initialised"), "nothing was captured");
        let key_lines = key.private_pem().lines().filter(|line| line.len() > 60);
        for secret in key_lines.chain([right, WRONG]) {
            assert!(!shown.contains(secret), "{secret} shows in {shown}");
            assert!(!logged.contains(secret), "{secret} shows in the log: {logged}");
        }
        // Numbers of the private key, as a careless `Debug` of bytes would show them.
        assert!(!shown.contains("PrivateExponent") && !logged.contains("PrivateExponent"));
    });
}
