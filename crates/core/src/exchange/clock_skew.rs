//! The difference between the service's clock and ours.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// How far the service's clock, as told by the header `Date`, is ahead of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSkew(SignedDuration);

impl ClockSkew {
    /// How far the clocks may differ without a word, unless set otherwise.
    ///
    /// The time in a signed system token has minutes, and the service's window is not documented.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

    pub(crate) fn between(server: Timestamp, ours: Timestamp) -> Self {
        Self(server.duration_since(ours))
    }

    /// Whole seconds by which the service's clock is ahead; negative when it is behind.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.as_secs()
    }

    /// Whether the clocks differ by more than `limit`, in either direction.
    #[must_use]
    pub fn exceeds(self, limit: Duration) -> bool {
        self.0.unsigned_abs() > limit
    }

    pub(crate) fn shift(self, ours: Timestamp) -> Timestamp {
        let ends = if self.0.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        ours.checked_add(self.0).unwrap_or(ends)
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let direction = if seconds < 0 { "ahead of" } else { "behind" };
        write!(f, "this machine's clock is {} s {direction} SuperOffice's", seconds.unsigned_abs())
    }
}

/// Our clock, corrected by a skew.
#[derive(Debug)]
pub(crate) struct ShiftedClock {
    ours: Arc<dyn Clock>,
    skew: ClockSkew,
}

impl ShiftedClock {
    pub(crate) fn new(ours: &Arc<dyn Clock>, skew: ClockSkew) -> Self {
        Self { ours: Arc::clone(ours), skew }
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        self.skew.shift(self.ours.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_skew_says_who_is_ahead_and_by_how_much() {
        let behind = ClockSkew::between(at(1000), at(400));
        assert_eq!(behind.seconds(), 600);
        assert_eq!(behind.to_string(), "this machine's clock is 600 s behind SuperOffice's");
        let ahead = ClockSkew::between(at(400), at(1000));
        assert_eq!(ahead.to_string(), "this machine's clock is 600 s ahead of SuperOffice's");
    }

    #[test]
    fn the_limit_counts_in_both_directions_and_is_inclusive() {
        let limit = Duration::from_secs(60);
        assert!(!ClockSkew::between(at(60), at(0)).exceeds(limit));
        assert!(ClockSkew::between(at(61), at(0)).exceeds(limit));
        assert!(ClockSkew::between(at(0), at(61)).exceeds(limit));
    }

    #[test]
    fn shifting_leads_to_the_servers_time() {
        assert_eq!(ClockSkew::between(at(1000), at(400)).shift(at(400)), at(1000));
        assert_eq!(ClockSkew::between(at(1000), at(400)).shift(Timestamp::MAX), Timestamp::MAX);
    }
}
