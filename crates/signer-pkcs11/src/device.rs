//! One key of one token: signs, and climbs a ladder of ever stronger remedies when that fails.

use std::time::{Duration, Instant};

use cryptoki::object::ObjectHandle;
use soticket_core::{PublicKey, Signature, SigningAlgorithm};

use crate::attributes::Object;
use crate::connection::{Connection, Generation, KeySession};
use crate::fault::{Class, Fault};
use crate::mechanism::{Mechanism, Payload};
use crate::module::{Entered, Epoch, OpenSession};
use crate::public;
use crate::timing::now;

/// A key and everything that signing with it takes.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) connection: Connection,
    pub(crate) settings: SigningSettings,
    /// The key that every signature is held against, whatever the token says later.
    pub(crate) pinned: PublicKey,
    pub(crate) restart_interval: Duration,
    pub(crate) place: String,
}

/// How a signature is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SigningSettings {
    pub(crate) mechanism: Mechanism,
    pub(crate) signature_bytes: usize,
    pub(crate) authentication: Authentication,
}

/// When a key wants the PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// Once, at login.
    Login,
    /// With each use (`CKA_ALWAYS_AUTHENTICATE`).
    EachUse,
}

/// What is made anew before the next attempt, each remedy stronger than the one before. Return codes differ too
/// much between modules to choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Session,
    Login,
    Module,
}

const LADDER: [Remedy; 3] = [Remedy::Session, Remedy::Login, Remedy::Module];

impl Device {
    /// Signs on the thread's own session, which is opened if there is none, and given up after any failure: an
    /// operation may be left active in it.
    pub(crate) fn sign(
        &self,
        own: &mut Option<KeySession>,
        payload: &Payload,
        until: Instant,
    ) -> Result<Signature, Fault> {
        let seen = (self.connection.module().epoch(), self.connection.generation());
        let mut outcome = self.attempt(own, payload, until);
        for remedy in LADDER {
            let Err(fault) = &outcome else { break };
            if fault.ends_recovery() || now() >= until || !helps(remedy, fault) {
                break;
            }
            tracing::debug!(place = self.place, ?remedy, "signing failed: {}", told(fault));
            match self.apply(remedy, seen, until) {
                Ok(()) => outcome = self.attempt(own, payload, until),
                Err(worse) if worse.ends_recovery() => outcome = Err(worse),
                // The strongest remedy could not be had: whoever looks after the device has to know why.
                Err(worse) if remedy == Remedy::Module => {
                    outcome = outcome.map_err(|fault| fault.not_helped_by(&worse));
                }
                // The first failure says more.
                Err(_) => {}
            }
        }
        outcome.map_err(|fault| fault.while_running().at(&self.place))
    }

    /// Opens a thread's session ahead of its first request, if that is to be had; why not, the request will tell.
    pub(crate) fn warm_up(&self, own: &mut Option<KeySession>, until: Instant) {
        let opened = self.connection.module().enter(until).and_then(|entered| self.open(&entered));
        *own = opened.ok();
    }

    /// Closes a thread's session.
    pub(crate) fn close(&self, own: Option<KeySession>, until: Instant) {
        if let (Some(own), Ok(entered)) = (own, self.connection.module().enter(until)) {
            entered.close(own.open);
        }
    }

    fn apply(&self, remedy: Remedy, seen: (Epoch, Generation), until: Instant) -> Result<(), Fault> {
        match remedy {
            // The attempt opens one, since the last was given up.
            Remedy::Session => Ok(()),
            Remedy::Login => self.connection.log_in_again(seen.1, until),
            Remedy::Module => {
                self.connection.module().restart(seen.0, self.restart_interval)?;
                self.connection.log_in_again(seen.1, until)
            }
        }
    }

    fn attempt(
        &self,
        own: &mut Option<KeySession>,
        payload: &Payload,
        until: Instant,
    ) -> Result<Signature, Fault> {
        let entered = self.connection.module().enter(until)?;
        let current = own.take().filter(|own| entered.knows(&own.open));
        let session = match current {
            Some(session) => session,
            None => self.open(&entered)?,
        };
        match self.sign_verified(&entered, &session, payload) {
            Ok(signature) => {
                *own = Some(session);
                Ok(signature)
            }
            Err(fault) => {
                // Some modules say of a lost login that the request is wrong.
                let lost_login = fault.class == Class::Request && self.connection.lost_login(&session.open);
                entered.close(session.open);
                Err(if lost_login { fault.reclassed(Class::Device) } else { fault })
            }
        }
    }

    /// Opens a session, and sees that the key in it is the pinned one as far as the token tells.
    fn open(&self, entered: &Entered<'_>) -> Result<KeySession, Fault> {
        let session = self.connection.open_key_session(entered)?;
        match self.is_pinned(&session) {
            Ok(()) => Ok(session),
            Err(fault) => {
                entered.close(session.open);
                Err(fault)
            }
        }
    }

    fn is_pinned(&self, session: &KeySession) -> Result<(), Fault> {
        let object = Object { session: &session.open.session, handle: session.key.handle };
        let found = match public::of_key_object(&object)? {
            Some(own) => vec![own],
            None => {
                let candidates = public::candidates(&session.open.session, &session.key)?;
                candidates.into_iter().map(|candidate| candidate.key).collect()
            }
        };
        if found.is_empty() || found.contains(&self.pinned) { Ok(()) } else { Err(self.another_key()) }
    }

    fn sign_verified(
        &self,
        entered: &Entered<'_>,
        session: &KeySession,
        payload: &Payload,
    ) -> Result<Signature, Fault> {
        let handle = session.key.handle;
        let signature = sign_once(&self.connection, entered, &session.open, handle, self.settings, payload)?;
        match self.pinned.verify_sha256(payload.digest(), &signature) {
            Ok(()) => Ok(signature),
            Err(_) => Err(self.another_key()),
        }
    }

    fn another_key(&self) -> Fault {
        Fault::new(
            Class::Untrusted,
            format!(
                "the token signs with another key than the one that was pinned (SHA-256 {}), and its signature was \
                 thrown away; find out who replaced the key, and open the signer again if that was meant",
                self.pinned.fingerprint()
            ),
        )
    }
}

/// One signature, as the token gives it.
pub(crate) fn sign_once(
    connection: &Connection,
    entered: &Entered<'_>,
    open: &OpenSession,
    key: ObjectHandle,
    settings: SigningSettings,
    payload: &Payload,
) -> Result<Signature, Fault> {
    let authenticate = || connection.authenticate_use(entered, open);
    let authenticate: Option<&dyn Fn() -> Result<(), Fault>> = match settings.authentication {
        Authentication::EachUse => Some(&authenticate),
        Authentication::Login => None,
    };
    let (mechanism, length) = (settings.mechanism.for_token(), settings.signature_bytes);
    let data = payload.for_token();
    let signature = entered.library().sign(&open.session, &mechanism, key, data, length, authenticate)?;
    Ok(Signature::from_bytes(signature))
}

/// How long a signature by `key` is, in bytes.
pub(crate) fn signature_bytes(key: &PublicKey) -> usize {
    match key.algorithm() {
        SigningAlgorithm::Es256 => P256_SIGNATURE_BYTES,
        _ => usize::try_from(key.bits().div_ceil(u8::BITS)).unwrap_or_default(),
    }
}

/// A restart disturbs every user of the module, and brings back no key that somebody replaced.
fn helps(remedy: Remedy, fault: &Fault) -> bool {
    remedy != Remedy::Module || fault.class != Class::Untrusted
}

fn told(fault: &Fault) -> String {
    match fault.call() {
        Some(call) => format!("{}: {call}", fault.message()),
        None => fault.message().to_owned(),
    }
}

/// `r ‖ s`.
const P256_SIGNATURE_BYTES: usize = 64;
