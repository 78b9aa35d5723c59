//! A ticket that is kept: when it was used, when it is to be renewed, when it is no longer handed out.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::store::Fence;
use crate::ticket::SystemUserTicket;

/// What a ticket that is handed out still has to be worth, and how long before its end it is renewed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Margins {
    pub(crate) renewal: Duration,
    pub(crate) jitter: Duration,
    pub(crate) reserve: Duration,
}

/// What a ticket is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Still handed out, and to be renewed.
    NearEnd,
    Ended,
}

/// A ticket that is kept. All times are of the wall clock, in microseconds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) ticket: SystemUserTicket,
    /// The record's in the store that it is kept in, if it is in one.
    pub(crate) fence: Option<Fence>,
    /// Taken from a store, which may offer again what the API has refused.
    pub(crate) is_adopted: bool,
    /// When it came to be kept, by the wall clock and by one that is never set.
    since: (i64, Instant),
    /// When the two clocks were last held against each other.
    compared_at: AtomicI64,
    used_at: AtomicI64,
    saved_use: AtomicI64,
    near_end_at_age: i64,
    ended_at_age: i64,
}

impl Held {
    pub(crate) fn new(
        ticket: SystemUserTicket,
        fence: Option<Fence>,
        margins: Margins,
        now: Timestamp,
    ) -> Self {
        let lifetime = ticket.lifetime();
        // Where tickets live so short that the margins do not fit, they are shares of the lifetime.
        let jitter = margins.jitter.min(lifetime / 4);
        let margin = margins.renewal.min(lifetime / 4) + jitter.mul_f64(fastrand::f64());
        let reserve = margins.reserve.min(lifetime / 8);
        let used_at = ticket.last_used_at().as_microsecond();
        Self {
            ticket,
            fence,
            is_adopted: false,
            since: (now.as_microsecond(), Instant::now()),
            compared_at: AtomicI64::new(now.as_microsecond()),
            used_at: AtomicI64::new(used_at),
            saved_use: AtomicI64::new(used_at),
            near_end_at_age: micros(lifetime.saturating_sub(margin.max(reserve))),
            ended_at_age: micros(lifetime.saturating_sub(reserve)),
        }
    }

    pub(crate) fn freshness(&self, now: Timestamp) -> Freshness {
        let now = now.as_microsecond();
        match now - self.used_at.load(Ordering::Relaxed) {
            // Nothing that the clock says of this ticket can be believed.
            age if age < -micros(CLOCK_TOLERANCE) || self.was_set_back(now) => Freshness::Ended,
            age if age >= self.ended_at_age => Freshness::Ended,
            age if age >= self.near_end_at_age => Freshness::NearEnd,
            _ => Freshness::Fresh,
        }
    }

    /// The ticket, with its end as of now.
    pub(crate) fn hand_out(&self) -> SystemUserTicket {
        self.ticket.used_at(self.last_use())
    }

    /// The lifetime starts anew.
    pub(crate) fn touch(&self, now: Timestamp) {
        self.used_at.fetch_max(now.as_microsecond(), Ordering::Relaxed);
    }

    /// How long ago the ticket was issued.
    pub(crate) fn age(&self, now: Timestamp) -> Option<Duration> {
        Duration::try_from(now.duration_since(self.ticket.issued_at())).ok()
    }

    /// Whether others should learn of its last use; says so to one caller each time.
    pub(crate) fn is_due_to_be_saved(&self, now: Timestamp) -> bool {
        let saved = self.saved_use.load(Ordering::Relaxed);
        let pause = micros(SAVE_PAUSE).min(self.ended_at_age / 8);
        now.as_microsecond() - saved >= pause
            && self
                .saved_use
                .compare_exchange(saved, now.as_microsecond(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Whether the wall clock has been set back since. The other clock is read once in a while: that takes longer than all
    /// the rest of a hit but for the way from memory.
    fn was_set_back(&self, now: i64) -> bool {
        let since_compared = now - self.compared_at.load(Ordering::Relaxed);
        if (0..micros(COMPARISON_PAUSE)).contains(&since_compared) {
            return false;
        }
        let (wall, steady) = self.since;
        let was_set_back = now - wall < micros(steady.elapsed()).saturating_sub(micros(CLOCK_TOLERANCE));
        if !was_set_back {
            self.compared_at.store(now, Ordering::Relaxed);
        }
        was_set_back
    }

    fn last_use(&self) -> Timestamp {
        let micros = self.used_at.load(Ordering::Relaxed);
        Timestamp::from_microsecond(micros).unwrap_or(self.ticket.issued_at())
    }
}

/// How far the clock may be set back before a ticket of the future is taken for one of another time.
pub(crate) const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// For how long of its own time the wall clock is believed without another look at the steady one: less than what a ticket
/// that is handed out still has.
const COMPARISON_PAUSE: Duration = Duration::from_secs(1);

/// How far a ticket's last use in a store may lie behind: less than the margin, so that nobody renews what is in use.
const SAVE_PAUSE: Duration = Duration::from_secs(5 * 60);

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
