//! A lease on files: a lock that the system gives back when the process ends, in whatever way.

use async_trait::async_trait;
use soticket_core::store::{Fence, Lease, StoreError};
use soticket_core::{Clock, SystemClock};

use super::blocking;
use super::folder::{Slot, unavailable};
use super::lock::Lock;
use super::record::read_if_readable;
use crate::seal::Sealer;

#[derive(Debug)]
pub(crate) struct FileLease {
    lock: Lock,
    fence: Fence,
}

/// `None` when somebody else has it.
pub(crate) fn try_take(sealer: &Sealer, slot: &Slot) -> Result<Option<FileLease>, StoreError> {
    let Some(lock) = Lock::try_take_in(slot, &slot.lease)? else { return Ok(None) };
    let last = read_if_readable(sealer, slot)?.map(|record| record.fence);
    Ok(Some(FileLease { lock, fence: Fence::after(last, SystemClock.now()) }))
}

#[async_trait]
impl Lease for FileLease {
    fn fence(&self) -> Fence {
        self.fence
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        blocking(move || {
            let path = self.lock.path().to_owned();
            self.lock.remove().map_err(|cause| unavailable(&path, "removed", cause))
        })
        .await
    }
}
