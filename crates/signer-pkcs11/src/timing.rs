//! The time of devices: worker threads wait for it outside of any runtime, so a runtime's paused clock must not
//! stop it.

use std::time::Instant;

/// Now, by the clock that only goes on.
#[expect(clippy::disallowed_methods, reason = "threads wait for a device, and no runtime drives them")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
