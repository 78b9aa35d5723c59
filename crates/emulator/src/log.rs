//! What the emulator handled: never a secret, a signed token, a ticket or a JWT.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// The last requests, and how often what came of all of them.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last: VecDeque<Entry>,
    counts: Counts,
}

/// How often what came of requests.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) issued: u64,
    pub(crate) refused: u64,
    /// Exchanges that ended in another way.
    pub(crate) failed: u64,
}

impl Counts {
    fn add(&mut self, outcome: Outcome, kind: Kind) {
        self.requests += 1;
        match outcome {
            Outcome::Issued => self.issued += 1,
            Outcome::Refused(_) => self.refused += 1,
            _ if kind == Kind::Exchange => self.failed += 1,
            _ => {}
        }
    }
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Exchange,
    Other,
}

impl Log {
    pub(crate) fn push(&self, entry: Entry, kind: Kind) {
        let mut kept = self.lock();
        kept.counts.add(entry.outcome, kind);
        if kept.last.len() == CAPACITY {
            kept.last.pop_front();
        }
        kept.last.push_back(entry);
    }

    pub(crate) fn snapshot(&self) -> Vec<Entry> {
        self.lock().last.iter().cloned().collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many requests are kept.
pub(crate) const CAPACITY: usize = 10_000;
