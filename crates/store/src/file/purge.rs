//! Housekeeping: what has ended, and what processes left behind.

use std::path::Path;

use soticket_core::store::StoreError;
use soticket_core::{Clock, SystemClock};

use super::folder::{LEASE, RECORD, Slot, files_in, has_ending, sweep, unavailable};
use super::lock::Lock;
use super::{Inner, record};
use crate::key::from_hex;

/// Purges one sub-folder, and says how many records were removed.
pub(crate) fn shelf(inner: &Inner, shelf: &Path) -> Result<usize, StoreError> {
    let now = SystemClock.now();
    let mut purged = 0;
    sweep(shelf);
    for path in files_in(shelf).map_err(|cause| unavailable(shelf, "read", cause))? {
        if has_ending(&path, LEASE) {
            remove_unless_held(&path);
        }
        let Some(slot) = slot_of(inner, &path).filter(|_| has_ending(&path, RECORD)) else { continue };
        // Somebody who changes records here right now keeps them from having ended for good: the next purge is his.
        let Some(_lock) = Lock::try_take_in(&slot, &slot.lock)? else { continue };
        purged += usize::from(record::remove_if(&inner.sealer, &slot, |there| there.ends <= now)?);
    }
    Ok(purged)
}

/// The lock file of a lease that its process did not live to release.
fn remove_unless_held(path: &Path) {
    if let Err(error) = Lock::try_take(path).and_then(|lock| lock.map_or(Ok(()), Lock::remove)) {
        tracing::debug!(path = %path.display(), %error, "a left-over file stays");
    }
}

fn slot_of(inner: &Inner, path: &Path) -> Option<Slot> {
    let owner = from_hex(path.file_stem()?.to_str()?)?;
    Some(inner.folder.slot(&owner))
}
