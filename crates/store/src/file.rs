//! A store in a folder of files, for the processes of one machine.

mod folder;
mod lease;
mod lock;
mod purge;
mod record;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use soticket_core::store::{Fence, Lease, Record, Saved, StoreError, StoreErrorKind, TicketKey, TicketStore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::key::StoreKey;
use crate::seal::Sealer;
use folder::{Folder, Slot};
use lock::Lock;
use record::Temporary;

/// Keeps tickets in a folder, a file for each, encrypted.
///
/// A record is written beside the one before, synced and renamed: whatever interrupts it, one of the two is there, and
/// whole. Any number of processes may share the folder, with the same key; a lease is a lock on a file, which the
/// system gives back when the process ends in whatever way. The folder has to be on a file system of this machine, or
/// on one that hands locks on.
///
/// Files are worked on outside of the executor's threads. Clones share the folder.
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    folder: Folder,
    sealer: Sealer,
}

impl FileStore {
    /// Opens the store in `folder`, which is made if it is missing, for nobody but this process's user. Blocks, shortly.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`] when the folder cannot be made, is none, or others may write in it.
    pub fn open(folder: impl Into<PathBuf>, key: StoreKey) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Inner { folder: Folder::open(folder.into())?, sealer: Sealer::new(&key)? })))
    }

    /// Removes the records that have ended, and what processes left behind that ended while they wrote or exchanged;
    /// says how many records those were.
    ///
    /// Nothing is lost by never calling it but space: a file of some thousand bytes for each tenant that ever was.
    ///
    /// # Errors
    /// When a part of the folder cannot be read or changed; what was removed before stays so.
    pub async fn purge_ended(&self) -> Result<usize, StoreError> {
        let mut purged = 0;
        for shelf in self.0.folder.shelves() {
            let inner = Arc::clone(&self.0);
            purged += blocking(move || purge::shelf(&inner, &shelf)).await?;
        }
        Ok(purged)
    }

    /// Does `work` while no other process changes what is kept under `slot`'s key.
    async fn alone<T, W>(&self, slot: &Arc<Slot>, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: Fn(&Inner, &Slot) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        let until = Instant::now() + LOCK_PATIENCE;
        let work = Arc::new(work);
        loop {
            let (inner, slot_there, work) = (Arc::clone(&self.0), Arc::clone(slot), Arc::clone(&work));
            let done = blocking(move || match Lock::try_take_in(&slot_there, &slot_there.lock)? {
                Some(_lock) => work(&inner, &slot_there).map(Some),
                None => Ok(None),
            });
            match done.await? {
                Some(done) => return Ok(done),
                None if Instant::now() >= until => return Err(is_locked(slot)),
                None => sleep(LOCK_PAUSE).await,
            }
        }
    }
}

#[async_trait]
impl TicketStore for FileStore {
    async fn load(&self, key: &TicketKey) -> Result<Option<Record>, StoreError> {
        let (inner, slot) = (Arc::clone(&self.0), self.0.folder.slot(key.as_bytes()));
        blocking(move || record::read(&inner.sealer, &slot)).await
    }

    async fn save(&self, key: &TicketKey, record: &Record) -> Result<Saved, StoreError> {
        let slot = Arc::new(self.0.folder.slot(key.as_bytes()));
        let sealed = self.0.sealer.seal(key.as_bytes(), record)?;
        let (inner, there) = (Arc::clone(&self.0), Arc::clone(&slot));
        let temporary = blocking(move || {
            inner.folder.sweep_once(&there);
            Temporary::write(&there, &sealed)
        });
        let (temporary, fence) = (temporary.await?, record.fence);
        self.alone(&slot, move |inner, slot| record::replace(&inner.sealer, slot, fence, &temporary)).await
    }

    async fn remove(&self, key: &TicketKey, fence: Fence) -> Result<(), StoreError> {
        let slot = Arc::new(self.0.folder.slot(key.as_bytes()));
        self.alone(&slot, move |inner, slot| {
            record::remove_if(&inner.sealer, slot, |there| there.fence == fence).map(drop)
        })
        .await
    }

    async fn lease(&self, key: &TicketKey) -> Result<Option<Box<dyn Lease>>, StoreError> {
        let (inner, slot) = (Arc::clone(&self.0), self.0.folder.slot(key.as_bytes()));
        let lease = blocking(move || lease::try_take(&inner.sealer, &slot)).await?;
        Ok(lease.map(|lease| Box::new(lease) as Box<dyn Lease>))
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileStore({})", self.0.folder.path().display())
    }
}

/// Does what blocks where it blocks nobody.
async fn blocking<T, W>(work: W) -> Result<T, StoreError>
where
    T: Send + 'static,
    W: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    spawn_blocking(work).await.unwrap_or_else(|cause| {
        let message = "work on the ticket store's files was not finished";
        Err(StoreError::new(StoreErrorKind::Unavailable, message).with_source(cause))
    })
}

fn is_locked(slot: &Slot) -> StoreError {
    let message = format!(
        "`{}` has been locked by another process for {LOCK_PATIENCE:?}; is one of those that share the folder suspended?",
        slot.lock.display()
    );
    StoreError::new(StoreErrorKind::Unavailable, message)
}

/// How long somebody else's change is waited for, which takes him a moment, and how often it is looked for.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(2);
