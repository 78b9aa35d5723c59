//! A stay inside the module: what may be done there, and the sessions that are opened.

use std::collections::HashSet;
use std::time::Instant;

use cryptoki::session::Session;
use cryptoki::slot::Slot;
use cryptoki_sys as sys;
use parking_lot::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use super::{Epoch, Module, State};
use crate::fault::{Class, Fault};
use crate::library::Library;
use crate::rv::CallError;

/// A stay inside the module.
pub(crate) struct Entered<'a> {
    pub(super) module: &'a Module,
    pub(super) _guard: Guard<'a>,
    pub(super) until: Instant,
}

pub(super) enum Guard<'a> {
    Shared(RwLockReadGuard<'a, State>),
    Alone(RwLockWriteGuard<'a, State>),
}

impl Guard<'_> {
    pub(super) fn state(&self) -> &State {
        match self {
            Self::Shared(state) => state,
            Self::Alone(state) => state,
        }
    }
}

/// An open session. It is closed by hand, inside the module, and only in the epoch that opened it.
#[derive(Debug)]
pub(crate) struct OpenSession {
    pub(crate) session: Session,
    epoch: Epoch,
}

/// Whether a session may change the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl<'a> Entered<'a> {
    pub(crate) fn epoch(&self) -> Epoch {
        self.module.epoch()
    }

    /// The module's file.
    pub(crate) fn path(&self) -> &'a std::path::Path {
        self.module.path()
    }

    pub(crate) fn library(&self) -> &'a Library {
        &self.module.loaded
    }

    /// The right to open, close and log in, which one thread has at a time; waits for it as long as for entering.
    pub(crate) fn turn(&self) -> Result<Turn<'a>, Fault> {
        let sessions = self.module.sessions.try_lock_until(self.until).ok_or_else(|| self.module.busy())?;
        let mut turn = Turn { loaded: &self.module.loaded, epoch: self.epoch(), sessions };
        let unclosed = std::mem::take(&mut *self.module.unclosed.lock());
        unclosed.into_iter().filter(|session| self.knows(session)).for_each(|session| turn.close(session));
        Ok(turn)
    }

    /// Whether `session` is one of this epoch's.
    pub(crate) fn knows(&self, session: &OpenSession) -> bool {
        session.epoch == self.epoch()
    }

    /// Closes a session, or leaves that to who has the turn next if it is not to be had in time; one of an older epoch
    /// is let go of, since its handle may be another's by now.
    pub(crate) fn close(&self, session: OpenSession) {
        if !self.knows(&session) {
            return;
        }
        match self.turn() {
            Ok(mut turn) => turn.close(session),
            Err(_) => self.module.unclosed.lock().push(session),
        }
    }
}

/// The right to open sessions and log in.
pub(crate) struct Turn<'a> {
    loaded: &'a Library,
    epoch: Epoch,
    sessions: MutexGuard<'a, HashSet<sys::CK_SESSION_HANDLE>>,
}

impl Turn<'_> {
    /// Opens a session that no drop closes.
    pub(crate) fn open(&mut self, slot: Slot, access: Access) -> Result<OpenSession, Fault> {
        let pkcs11 = &self.loaded.pkcs11;
        let opened = match access {
            Access::Write => pkcs11.open_rw_session_no_drop(slot).map_err(CallError::from),
            // Some tokens refuse sessions that only read.
            Access::Read => pkcs11.open_ro_session_no_drop(slot).map_err(CallError::from).or_else(|call| {
                let wants_writing = [sys::CKR_SESSION_READ_ONLY, sys::CKR_SESSION_READ_WRITE_SO_EXISTS];
                match wants_writing.into_iter().any(|code| call.is(code)) {
                    true => pkcs11.open_rw_session_no_drop(slot).map_err(CallError::from),
                    false => Err(call),
                }
            }),
        };
        let session = opened.map_err(|call| Fault::of_call("no session can be opened", call))?;
        if self.sessions.insert(session.handle()) {
            return Ok(OpenSession { session, epoch: self.epoch });
        }
        let message = "the module gave one session to two threads; allow it a single session";
        Err(Fault::new(Class::Device, message))
    }

    fn close(&mut self, session: OpenSession) {
        self.sessions.remove(&session.session.handle());
        if let Err(error) = session.session.close() {
            tracing::debug!("a session was not closed in order: {}", CallError::from(error));
        }
    }
}
