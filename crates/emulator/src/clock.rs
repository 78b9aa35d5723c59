//! The emulator's clock: the machine's, shifted, or one that stands still.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// The time that the emulator goes by. Clones share one clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Mode>>);

#[derive(Debug, Clone, Copy)]
enum Mode {
    Wall(SignedDuration),
    Manual(Timestamp),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn wall() -> Self {
        Self(Arc::new(Mutex::new(Mode::Wall(SignedDuration::ZERO))))
    }

    /// A clock that stands at `at` until it is set or advanced.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Mode::Manual(at))))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match *self.lock() {
            Mode::Wall(offset) => shifted(wall_now(), offset),
            Mode::Manual(at) => at,
        }
    }

    /// Stops the clock at `at`.
    pub fn set(&self, at: Timestamp) {
        *self.lock() = Mode::Manual(at);
    }

    /// Moves the clock by `by`, backwards when negative. A running clock goes on running.
    pub fn advance(&self, by: SignedDuration) {
        let mut mode = self.lock();
        *mode = match *mode {
            Mode::Wall(offset) => Mode::Wall(offset.saturating_add(by)),
            Mode::Manual(at) => Mode::Manual(shifted(at, by)),
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Mode> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::wall()
    }
}

/// `at` moved by `by`, held at the ends of the calendar.
pub(crate) fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

#[allow(clippy::disallowed_methods, reason = "the emulator's one reading of the machine's clock")]
fn wall_now() -> Timestamp {
    Timestamp::now()
}
