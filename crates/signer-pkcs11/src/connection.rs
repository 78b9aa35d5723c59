//! The way to one token: found by URI, logged in to once, and found again after the module was started anew.

use std::sync::Arc;
use std::time::Instant;

use cryptoki::session::{SessionState, UserType};
use cryptoki::slot::Slot;
use parking_lot::{Mutex, MutexGuard};

use crate::fault::{Class, Fault};
use crate::key::{self, FoundKey};
use crate::module::{Access, Entered, Epoch, Module, OpenSession};
use crate::pin::{ResolvedPin, remember_refused, was_refused};
use crate::rv::CallError;
use crate::token::{self, PinCounter, TokenInfo};
use crate::uri::Pkcs11Uri;

/// Whether a PIN is tried though the token counts wrong ones and is near its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PinTries {
    /// Not when the token says that one more wrong PIN locks it, or that it is locked.
    #[default]
    Careful,
    /// Always: for an operator who knows that the PIN is right.
    Forced,
}

/// How the login is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchoring {
    /// By a session of its own, which does nothing else.
    OwnSession,
    /// By the one session that there may be.
    OnlySession,
}

/// The way to a token.
#[derive(Debug)]
pub(crate) struct Connection {
    module: Arc<Module>,
    uri: Pkcs11Uri,
    pin: Option<ResolvedPin>,
    tries: PinTries,
    anchoring: Anchoring,
    /// The module and the token, whatever slot it is in: by it, refused PINs are remembered.
    place: String,
    whereabouts: Mutex<Whereabouts>,
    /// The session that holds the login; locked while somebody logs in, which may take as long as it likes.
    anchor: Mutex<Option<OpenSession>>,
}

/// Where the token is now; never locked during a call to the module.
#[derive(Debug, Clone)]
struct Whereabouts {
    slot: Slot,
    token: TokenInfo,
    epoch: Epoch,
    generation: Generation,
}

/// Counts the logins of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// A session with the key found in it, used by one thread.
#[derive(Debug)]
pub(crate) struct KeySession {
    pub(crate) open: OpenSession,
    pub(crate) key: FoundKey,
}

/// What a connection is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) module: Arc<Module>,
    pub(crate) uri: Pkcs11Uri,
    pub(crate) pin: Option<ResolvedPin>,
    pub(crate) tries: PinTries,
    pub(crate) anchoring: Anchoring,
}

impl Connection {
    /// Finds the token and logs in.
    pub(crate) fn open(parts: Parts, until: Instant) -> Result<Self, Fault> {
        let Parts { module, uri, pin, tries, anchoring } = parts;
        let whereabouts = {
            let entered = module.enter(until)?;
            let (slot, token) = token::select(&entered, &uri)?;
            Whereabouts { slot, token, epoch: entered.epoch(), generation: Generation(0) }
        };
        let place = format!("{}|{}", module.path().display(), whereabouts.token.uri_attributes());
        let (whereabouts, anchor) = (Mutex::new(whereabouts), Mutex::default());
        let connection = Self { module, uri, pin, tries, anchoring, place, whereabouts, anchor };
        connection.log_in_again(Generation(0), until)?;
        Ok(connection)
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }

    pub(crate) fn token(&self) -> TokenInfo {
        self.whereabouts.lock().token.clone()
    }

    pub(crate) fn generation(&self) -> Generation {
        self.whereabouts.lock().generation
    }

    /// Looks for the token anew and logs in, unless somebody did so since `seen`.
    pub(crate) fn log_in_again(&self, seen: Generation, until: Instant) -> Result<(), Fault> {
        let entered = self.module.enter(until)?;
        let mut anchor = self.lock_anchor(until)?;
        let last = self.whereabouts.lock().clone();
        if last.generation != seen && last.epoch == entered.epoch() {
            return Ok(());
        }
        // Before the next one is opened, which may get the same handle.
        if let Some(old) = anchor.take() {
            entered.close(old);
        }
        let (slot, token) = token::select(&entered, &self.uri)?;
        *anchor = match self.anchoring {
            Anchoring::OwnSession => Some(self.open_logged_in(&entered, slot, &token, Access::Read)?),
            Anchoring::OnlySession => None,
        };
        let generation = Generation(last.generation.0 + 1);
        *self.whereabouts.lock() = Whereabouts { slot, token, epoch: entered.epoch(), generation };
        Ok(())
    }

    /// Opens a session for a thread of its own, and finds the key in it.
    pub(crate) fn open_key_session(&self, entered: &Entered<'_>) -> Result<KeySession, Fault> {
        let open = self.open_session(entered, Access::Read)?;
        match key::select(&open.session, &self.uri.object) {
            Ok(key) => Ok(KeySession { open, key }),
            Err(fault) => {
                entered.close(open);
                Err(fault)
            }
        }
    }

    /// Opens a session that is logged in.
    pub(crate) fn open_session(&self, entered: &Entered<'_>, access: Access) -> Result<OpenSession, Fault> {
        let Whereabouts { slot, token, epoch, .. } = self.whereabouts.lock().clone();
        // Slots may have other numbers by now, and another token may be in this one.
        if epoch != entered.epoch() {
            return Err(Fault::new(
                Class::Device,
                "the module was started anew, and the token is not found again yet",
            ));
        }
        if self.anchoring == Anchoring::OnlySession {
            return self.open_logged_in(entered, slot, &token, access);
        }
        let open = entered.turn()?.open(slot, access)?;
        match is_logged_in(&open, &token) {
            Ok(true) => Ok(open),
            Ok(false) => {
                entered.close(open);
                Err(Fault::new(Class::Device, "the login is lost"))
            }
            Err(fault) => {
                entered.close(open);
                Err(fault)
            }
        }
    }

    /// Whether the login that a session needs is there no longer; where it cannot be told, it is taken for there.
    pub(crate) fn lost_login(&self, open: &OpenSession) -> bool {
        is_logged_in(open, &self.token()).is_ok_and(|is| !is)
    }

    /// Gives the PIN again, for a key that wants it with each use.
    pub(crate) fn authenticate_use(&self, entered: &Entered<'_>, open: &OpenSession) -> Result<(), Fault> {
        let _turn = entered.turn()?;
        let slot = self.whereabouts.lock().slot;
        self.log_in(entered, slot, open, UserType::ContextSpecific)
    }

    /// Closes the session that holds the login.
    pub(crate) fn close(&self, until: Instant) {
        let Ok(entered) = self.module.enter(until) else { return };
        let session = self.lock_anchor(until).ok().and_then(|mut anchor| anchor.take());
        if let Some(session) = session {
            entered.close(session);
        }
    }

    fn lock_anchor(&self, until: Instant) -> Result<MutexGuard<'_, Option<OpenSession>>, Fault> {
        let anchor = self.anchor.try_lock_until(until);
        anchor.ok_or_else(|| Fault::new(Class::Device, "another thread has not come back from logging in"))
    }

    /// Opening and logging in, which one thread does at a time.
    fn open_logged_in(
        &self,
        entered: &Entered<'_>,
        slot: Slot,
        token: &TokenInfo,
        access: Access,
    ) -> Result<OpenSession, Fault> {
        let mut turn = entered.turn()?;
        let open = turn.open(slot, access)?;
        let outcome = is_logged_in(&open, token).and_then(|is| match is {
            true => Ok(()),
            false => self.log_in(entered, slot, &open, UserType::User),
        });
        drop(turn);
        match outcome {
            Ok(()) => Ok(open),
            Err(fault) => {
                entered.close(open);
                Err(fault)
            }
        }
    }

    /// Gives the PIN, if the counters that the token shows now allow it: others may have tried wrong ones.
    fn log_in(
        &self,
        entered: &Entered<'_>,
        slot: Slot,
        open: &OpenSession,
        user: UserType,
    ) -> Result<(), Fault> {
        let token = &token::read(entered, slot)?;
        match (token.pin_counter(), self.tries) {
            (PinCounter::NotSet | PinCounter::ToBeChanged, _) => return Err(refused_before_login(token)),
            (PinCounter::Locked | PinCounter::FinalTry, PinTries::Careful) => {
                return Err(refused_before_login(token));
            }
            (PinCounter::Low, _) => {
                tracing::warn!(%token, "the token counts at least one wrong PIN since the last right one");
            }
            _ => {}
        }
        self.give_pin(open, user)
    }

    fn give_pin(&self, open: &OpenSession, user: UserType) -> Result<(), Fault> {
        if self.pin.as_ref().is_some_and(|pin| was_refused(&self.place, pin)) {
            return Err(Fault::new(
                Class::Pin,
                "the token refused this PIN before, and a PIN is never tried twice; correct the PIN and restart",
            ));
        }
        let outcome = open.session.login(user, self.pin.as_ref().map(ResolvedPin::as_auth_pin));
        let Err(call) = outcome.map_err(CallError::from) else { return Ok(()) };
        if call.is(cryptoki_sys::CKR_USER_ALREADY_LOGGED_IN) {
            return Ok(());
        }
        let fault = Fault::of_call("the login failed", call);
        if let (Class::Pin, Some(pin)) = (fault.class, &self.pin) {
            remember_refused(&self.place, pin);
        }
        Err(fault)
    }
}

/// Whether the session sees what the user may see; a token that wants no login always shows it.
fn is_logged_in(open: &OpenSession, token: &TokenInfo) -> Result<bool, Fault> {
    if !token.login_required() {
        return Ok(true);
    }
    let info = open.session.get_session_info();
    let info = info.map_err(|error| Fault::of_call("the session does not tell its state", error.into()))?;
    match info.session_state() {
        SessionState::RoUser | SessionState::RwUser => Ok(true),
        SessionState::RoPublic | SessionState::RwPublic => Ok(false),
        SessionState::RwSecurityOfficer => Err(Fault::new(
            Class::Device,
            "the security officer is logged in to the token by this process; log the officer out",
        )),
    }
}

fn refused_before_login(token: &TokenInfo) -> Fault {
    let why = match token.pin_counter() {
        PinCounter::Locked => {
            "its PIN is locked (CKF_USER_PIN_LOCKED), which a crash can do to a right PIN too; have the security \
             officer reset it"
        }
        PinCounter::FinalTry => {
            "one more wrong PIN locks it (CKF_USER_PIN_FINAL_TRY); log in by hand with the right PIN, which sets the \
             count back, or force the try"
        }
        PinCounter::ToBeChanged => {
            "its PIN has to be changed first (CKF_USER_PIN_TO_BE_CHANGED); change it with the device's own tool"
        }
        _ => "it has no user PIN yet (CKF_USER_PIN_INITIALIZED); have the security officer set one",
    };
    Fault::new(Class::Pin, format!("no PIN was tried: {why}"))
}
