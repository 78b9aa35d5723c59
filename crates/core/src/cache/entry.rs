//! What is kept for one tenant: its ticket, the one flight for a new one, and what went wrong lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::flight::Need;
use super::held::Held;
use super::statistics::Counters;
use crate::error::{Error, ErrorKind};
use crate::ticket::SystemUserTicket;

/// How a flight ended, once it has.
pub(crate) type Outcome = Option<Result<SystemUserTicket, Error>>;
/// Where those who wait for a flight learn how it ended.
pub(crate) type Outcomes = watch::Receiver<Outcome>;

/// What somebody who needs a ticket finds.
pub(crate) enum Joined {
    Kept(SystemUserTicket),
    Flight(Outcomes),
    /// One that has to end first, since what comes of it need not be what is needed.
    Other(Outcomes),
}

/// One tenant's.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) held: ArcSwapOption<Held>,
    pub(crate) state: Mutex<State>,
    /// By the clock, in microseconds.
    seen: AtomicI64,
    hits: AtomicU64,
}

/// What changes behind the lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) flight: Option<UnderWay>,
    /// Taken out of the table: whoever still has it looks for its successor.
    pub(crate) is_evicted: bool,
    /// The last ticket that the API refused, which others may still offer.
    rejected: Option<SystemUserTicket>,
    failures: u32,
    pause: Option<Pause>,
}

/// The flight that there is.
#[derive(Debug)]
pub(crate) struct UnderWay {
    need: Need,
    outcomes: Outcomes,
}

impl UnderWay {
    /// Takes part in it, or waits for its end where it may come back with what the store has.
    pub(crate) fn join(&self, need: Need) -> Joined {
        let outcomes = self.outcomes.clone();
        if need == Need::Another && self.need != Need::Another {
            return Joined::Other(outcomes);
        }
        Joined::Flight(outcomes)
    }
}

/// What went wrong, and until when nothing is tried again.
#[derive(Debug)]
struct Pause {
    error: Error,
    /// Until when callers are told of it; none is for ever.
    told_until: Option<Instant>,
    /// Until when a ticket that is still good is not renewed.
    renewed_from: Instant,
}

impl State {
    pub(crate) fn remembered(&self, now: Instant) -> Option<Error> {
        self.pause.as_ref().filter(|pause| pause.is_told(now)).map(|pause| pause.error.clone())
    }

    pub(crate) fn may_fly(&self, now: Instant) -> bool {
        !self.is_evicted
            && self.flight.is_none()
            && self.pause.as_ref().is_none_or(|pause| pause.is_over(now))
    }

    /// Whether the last exchange for this tenant failed.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.failures > 0
    }

    fn has_rejected(&self, ticket: &SystemUserTicket) -> bool {
        self.rejected.as_ref().is_some_and(|rejected| rejected.is_same_as(ticket))
    }

    fn succeeded(&mut self) {
        self.failures = 0;
        self.pause = None;
    }

    fn failed(&mut self, error: &Error, error_memory: Duration) {
        self.failures = self.failures.saturating_add(1);
        let (now, backoff) = (Instant::now(), backoff(self.failures));
        let memory = match error.kind() {
            ErrorKind::Refused(_) => error_memory,
            _ => backoff.min(error_memory),
        };
        let told_until = now.checked_add(memory);
        self.pause = Some(Pause { error: error.clone(), told_until, renewed_from: now + backoff });
    }
}

impl Pause {
    fn is_over(&self, now: Instant) -> bool {
        !self.is_told(now) && now >= self.renewed_from
    }

    fn is_told(&self, now: Instant) -> bool {
        self.told_until.is_none_or(|until| now < until)
    }
}

impl Entry {
    pub(crate) fn was_hit(&self, now: Timestamp) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        self.was_seen(now);
    }

    pub(crate) fn was_seen(&self, now: Timestamp) {
        self.seen.store(now.as_microsecond(), Ordering::Relaxed);
    }

    pub(crate) fn last_seen(&self) -> i64 {
        self.seen.load(Ordering::Relaxed)
    }

    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Marks it as taken out of the table, unless somebody is at work on it.
    pub(crate) fn evict(&self) -> bool {
        let Some(mut state) = self.state.try_lock() else { return false };
        state.is_evicted |= state.flight.is_none();
        state.is_evicted
    }

    /// Forgets the ticket if it is this one, and returns what was kept of it.
    pub(crate) fn reject(&self, ticket: &SystemUserTicket) -> Option<Arc<Held>> {
        let mut state = self.state.lock();
        let held = self.held.load_full().filter(|held| held.ticket.is_same_as(ticket))?;
        self.held.store(None);
        state.rejected = Some(ticket.clone());
        Some(held)
    }

    pub(crate) fn is_rejected(&self, ticket: &SystemUserTicket) -> bool {
        self.state.lock().has_rejected(ticket)
    }

    /// Begins the one flight that there may be.
    pub(crate) fn take_off(
        self: &Arc<Self>,
        state: &mut State,
        need: Need,
        counters: &Arc<Counters>,
        error_memory: Duration,
    ) -> (Landing, Outcomes) {
        let (announce, outcomes) = watch::channel(None);
        state.flight = Some(UnderWay { need, outcomes: outcomes.clone() });
        let (entry, counters) = (Arc::clone(self), Arc::clone(counters));
        (Landing { entry, counters, error_memory, announce, has_landed: false }, outcomes)
    }
}

/// The end of a flight, however it comes.
pub(crate) struct Landing {
    entry: Arc<Entry>,
    counters: Arc<Counters>,
    error_memory: Duration,
    announce: watch::Sender<Outcome>,
    has_landed: bool,
}

impl Landing {
    pub(crate) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// Keeps what came of it, and tells everybody who waits.
    pub(crate) fn land(mut self, outcome: Result<Held, Error>) {
        self.settle(outcome);
    }

    fn settle(&mut self, outcome: Result<Held, Error>) {
        self.has_landed = true;
        let mut state = self.entry.state.lock();
        state.flight = None;
        let outcome = match outcome {
            // Refused since it was looked at: whoever waits starts another flight.
            Ok(held) if held.is_adopted && state.has_rejected(&held.ticket) => return,
            Ok(held) => {
                let ticket = held.hand_out();
                self.entry.held.store(Some(Arc::new(held)));
                state.succeeded();
                Ok(ticket)
            }
            Err(error) => {
                self.counters.failed();
                if matches!(error.kind(), ErrorKind::Refused(_)) && self.entry.held.swap(None).is_some() {
                    tracing::warn!(%error, "the ticket is forgotten, since SuperOffice refuses another");
                }
                state.failed(&error, self.error_memory);
                Err(error)
            }
        };
        drop(state);
        self.announce.send_replace(Some(outcome));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        if std::thread::panicking() {
            let error = Error::new(ErrorKind::Bug, "the exchange panicked; please report it");
            self.settle(Err(error));
        } else {
            // Stopped with the cache or with the runtime: whoever still waits starts another.
            self.entry.state.lock().flight = None;
        }
    }
}

/// The pause after so many failures in a row: doubled each time, at most [`MAX_BACKOFF`], and jittered downwards.
fn backoff(failures: u32) -> Duration {
    let doubled = MIN_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(MAX_BACKOFF).mul_f64(1.0 - BACKOFF_JITTER * fastrand::f64())
}

const MIN_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The share of a pause that is left to chance.
const BACKOFF_JITTER: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_their_cap_and_are_jittered() {
        for failures in 1..200 {
            let longest = MIN_BACKOFF.saturating_mul(1 << (failures - 1).min(16)).min(MAX_BACKOFF);
            let pause = backoff(failures);
            assert!(
                pause <= longest && pause >= longest.mul_f64(1.0 - BACKOFF_JITTER),
                "{failures}: {pause:?}"
            );
        }
    }
}
