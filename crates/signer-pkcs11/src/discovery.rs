//! What is learned of a key when a signer is built: its public half, its attributes, and a way to sign with it
//! that was tried.

use std::time::Instant;

use cryptoki::slot::Slot;
use soticket_core::{PublicKey, SigningAlgorithm};

use crate::attributes::Object;
use crate::connection::Connection;
use crate::device::{Authentication, SigningSettings, sign_once, signature_bytes};
use crate::fault::{Class, Fault};
use crate::key::{self, FoundKey, KeyAttributes};
use crate::mechanism::{Mechanism, Payload};
use crate::public::{self, Candidate, Origin};

/// A key of which everything is known that signing takes.
#[derive(Debug)]
pub(crate) struct Discovered {
    pub(crate) key: FoundKey,
    pub(crate) attributes: KeyAttributes,
    pub(crate) public_key: PublicKey,
    pub(crate) settings: SigningSettings,
    pub(crate) warnings: Vec<String>,
}

/// What can be read of a key without using it.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) key: FoundKey,
    pub(crate) attributes: KeyAttributes,
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) candidates: Vec<Candidate>,
}

/// Finds the key and reads what the token says of it; `given` is a public key to fall back on.
pub(crate) fn describe(
    connection: &Connection,
    given: Option<&PublicKey>,
    until: Instant,
) -> Result<Description, Fault> {
    let entered = connection.module().enter(until)?;
    let session = connection.open_key_session(&entered)?;
    let described = (|| {
        let object = Object { session: &session.open.session, handle: session.key.handle };
        let algorithm = key::algorithm(&object)?;
        let attributes = KeyAttributes::read(&object)?;
        let mut candidates = public::candidates(&session.open.session, &session.key)?;
        candidates.extend(given.map(|key| Candidate { key: key.clone(), origin: Origin::Options }));
        candidates.retain(|candidate| candidate.key.algorithm() == algorithm && is_supported(&candidate.key));
        Ok(Description { key: session.key.clone(), attributes, algorithm, candidates })
    })();
    entered.close(session.open);
    described
}

/// Signs a probe with each mechanism that the token lists, until one gives a signature that verifies.
pub(crate) fn prove(
    connection: &Connection,
    described: Description,
    until: Instant,
) -> Result<Discovered, Fault> {
    let Description { key, attributes, algorithm, candidates } = described;
    if attributes.sign == Some(false) {
        let message = format!("the key {key} may not sign (CKA_SIGN is false); name another key, or set it");
        return Err(Fault::new(Class::Key, message));
    }
    // Room for whichever turns out to be the key's.
    let Some(longest) = candidates.iter().map(|candidate| signature_bytes(&candidate.key)).max() else {
        return Err(no_public_half(&key, algorithm));
    };
    let mut trial = Trial {
        connection,
        settings: SigningSettings {
            mechanism: Mechanism::RsaPkcs,
            signature_bytes: longest,
            authentication: match attributes.always_authenticate {
                Some(true) => Authentication::EachUse,
                _ => Authentication::Login,
            },
        },
        candidates: &candidates,
        until,
    };
    let mut refusal = None;
    for mechanism in mechanisms(connection, algorithm, until)? {
        trial.settings.mechanism = mechanism;
        match trial.run() {
            Ok(proven) => {
                let warnings = warnings_of(&candidates, proven);
                let public_key = proven.key.clone();
                let settings =
                    SigningSettings { signature_bytes: signature_bytes(&public_key), ..trial.settings };
                return Ok(Discovered { key, attributes, public_key, settings, warnings });
            }
            Err(fault) if fault.class == Class::Pin => return Err(fault),
            Err(fault) => {
                tracing::debug!(
                    mechanism = mechanism.name(),
                    "a mechanism of the token's list does not sign"
                );
                refusal = refusal.or(Some(fault));
            }
        }
    }
    Err(refusal.unwrap_or_else(|| Fault::new(Class::Bug, "no mechanism was tried; report it")))
}

/// One mechanism, tried.
struct Trial<'a> {
    connection: &'a Connection,
    settings: SigningSettings,
    candidates: &'a [Candidate],
    until: Instant,
}

impl<'a> Trial<'a> {
    /// The public key under which the probe's signature verifies.
    fn run(&self) -> Result<&'a Candidate, Fault> {
        let entered = self.connection.module().enter(self.until)?;
        let session = self.connection.open_key_session(&entered)?;
        let payload = Payload::new(self.settings.mechanism, PROBE);
        let signed =
            sign_once(self.connection, &entered, &session.open, session.key.handle, self.settings, &payload);
        entered.close(session.open);
        let signature = signed?;
        let verifies =
            |candidate: &&Candidate| candidate.key.verify_sha256(payload.digest(), &signature).is_ok();
        self.candidates.iter().find(verifies).ok_or_else(|| {
            let told = self.candidates.iter().map(|candidate| {
                format!("{} (SHA-256 {})", candidate.origin.name(), candidate.key.fingerprint())
            });
            let told = told.collect::<Vec<_>>().join(", ");
            Fault::new(
                Class::Untrusted,
                format!(
                    "a signature by the key does not verify under {told}; give the private key an id of its own, or \
                     correct what is stored beside it"
                ),
            )
        })
    }
}

fn mechanisms(
    connection: &Connection,
    algorithm: SigningAlgorithm,
    until: Instant,
) -> Result<Vec<Mechanism>, Fault> {
    let entered = connection.module().enter(until)?;
    let slot = Slot::try_from(connection.token().slot_id());
    let slot = slot.map_err(|error| Fault::of_call("the slot cannot be named", error.into()))?;
    let listed = entered.library().mechanisms(slot);
    let listed = listed.map_err(|call| Fault::of_call("the mechanisms cannot be listed", call))?;
    Mechanism::listed(algorithm, &listed)
}

fn warnings_of(candidates: &[Candidate], proven: &Candidate) -> Vec<String> {
    let wrong = candidates.iter().filter(|candidate| candidate.key != proven.key);
    wrong
        .map(|candidate| {
            format!(
                "{} is another key's (SHA-256 {}); {} is the right one, and the other should be deleted",
                candidate.origin.name(),
                candidate.key.fingerprint(),
                proven.origin.name()
            )
        })
        .collect()
}

fn is_supported(key: &PublicKey) -> bool {
    key.algorithm() == SigningAlgorithm::Es256 || RSA_BITS.contains(&key.bits())
}

fn no_public_half(key: &FoundKey, algorithm: SigningAlgorithm) -> Fault {
    let wanted = match algorithm {
        SigningAlgorithm::Es256 => "a P-256 key (other curves cannot be used)",
        _ => "an RSA key of 1024 to 4096 bits",
    };
    Fault::new(
        Class::Key,
        format!(
            "no public half of {key} is in the token that could be that of {wanted}: no public key object and no \
             certificate with its id, and the private key does not tell it; store one of them in the token, or give \
             the public key in a file"
        ),
    )
}

const RSA_BITS: std::ops::RangeInclusive<u32> = 1024..=4096;

/// Holds a control character, so that it is never a system user token.
const PROBE: &[u8] = b"soticket key probe\0";
