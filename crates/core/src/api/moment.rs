//! When something happened, by a wall clock that may be set back.

use std::time::Duration;

use jiff::Timestamp;

/// A time of the wall clock, or never.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moment(Option<Timestamp>);

impl Moment {
    pub(crate) fn of(at: Timestamp) -> Self {
        Self(Some(at))
    }

    /// How long ago it is; nothing for what never was, or is to come because the clock was set back.
    pub(crate) fn age(self, now: Timestamp) -> Option<Duration> {
        Duration::try_from(now.duration_since(self.0?)).ok()
    }

    pub(crate) fn is_within(self, duration: Duration, now: Timestamp) -> bool {
        self.age(now).is_some_and(|age| age < duration)
    }
}
