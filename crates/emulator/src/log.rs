//! What the emulator handled: never a secret, a signed token, a ticket or a JWT.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::refusal::Refusal;

/// One handled request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// When, by the emulator's clock.
    pub time: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The HTTP status; `None` when the connection was dropped before an answer.
    pub status: Option<u16>,
    /// What was decided.
    pub outcome: Outcome,
    /// The context identifier, where it is one that the emulator knows.
    pub context: Option<String>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Answered as asked.
    Answered,
    /// An exchange that was given a ticket.
    Issued,
    /// An exchange that was refused.
    Refused(Refusal),
    /// Turned away by the HTTP status.
    Rejected,
    /// A fault took the place of the answer or of the token.
    Faulty,
}

#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<Entry>>);

impl Log {
    pub(crate) fn push(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub(crate) fn snapshot(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
