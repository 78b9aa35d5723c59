//! Where tickets are kept beyond a process's own memory: a small trait, and what a store and the cache say to each other.

mod error;
mod key;
mod memory;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use zeroize::Zeroizing;

pub use error::{StoreError, StoreErrorKind};
pub use key::TicketKey;
pub use memory::MemoryStore;

/// Keeps tickets for later, for other processes or for other machines, and lets one of them exchange at a time.
///
/// What is kept is opaque to a store, and a secret: a store that writes outside of this process encrypts it first,
/// bound to its key, its fence and its end, so that nobody who can write there can pass one record for another.
/// Whatever a store fails in costs no more than an exchange: the cache warns and goes on without.
#[async_trait]
pub trait TicketStore: fmt::Debug + Send + Sync + 'static {
    /// The record that is kept under `key`, which may have ended.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unreadable`] when what is there is damaged or somebody else's: it is not to be trusted, and the
    /// next [`save`](Self::save) overwrites it.
    async fn load(&self, key: &TicketKey) -> Result<Option<Record>, StoreError>;

    /// Keeps `record` under `key`, unless what is kept there has a higher fence.
    ///
    /// # Errors
    /// When nothing was written; what was kept before still is.
    async fn save(&self, key: &TicketKey, record: &Record) -> Result<Saved, StoreError>;

    /// Forgets what is kept under `key` with this very fence, and leaves what came after it.
    ///
    /// # Errors
    /// When it could not be removed.
    async fn remove(&self, key: &TicketKey, fence: Fence) -> Result<(), StoreError>;

    /// Takes the right to exchange for `key`, without waiting: `None` when somebody else has it.
    ///
    /// # Errors
    /// When the store cannot say.
    async fn lease(&self, key: &TicketKey) -> Result<Option<Box<dyn Lease>>, StoreError>;
}

/// The right to exchange for one tenant, which nobody else has until it is released or ends.
///
/// Dropping it without [`release`](Self::release) leaves it to end by itself.
#[async_trait]
pub trait Lease: fmt::Debug + Send + Sync {
    /// What the record has to carry that comes of this exchange: higher than that of every lease before.
    fn fence(&self) -> Fence;

    /// How often [`renew`](Self::renew) has to be called so that the lease does not end; `None`, unless a store says
    /// otherwise, when it does not end as long as this process lives.
    fn renewal_interval(&self) -> Option<Duration> {
        None
    }

    /// Lets the lease go on from now.
    ///
    /// # Errors
    /// When the store cannot say.
    async fn renew(&self) -> Result<Renewed, StoreError> {
        Ok(Renewed::Held)
    }

    /// Gives the right back at once.
    ///
    /// # Errors
    /// When it could not be given back; it then ends by itself.
    async fn release(self: Box<Self>) -> Result<(), StoreError>;
}

/// What a store keeps for one key.
#[derive(Clone)]
pub struct Record {
    /// The secret: opaque to the store.
    pub contents: Zeroizing<Vec<u8>>,
    /// Whose work it is, among those that held the lease.
    pub fence: Fence,
    /// From when on it is of no use to anybody.
    pub ends: Timestamp,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("fence", &self.fence).field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// A fencing token: who got a lease later has a higher one, so that a holder who slept through the end of its lease
/// cannot overwrite what came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

impl Fence {
    /// The next one after `last`, which is not below the microseconds of `now`: so it rises also where the last one
    /// was forgotten.
    #[must_use]
    pub fn after(last: Option<Self>, now: Timestamp) -> Self {
        let floor = u64::try_from(now.as_microsecond()).unwrap_or_default();
        Self(last.map_or(0, |last| last.0.saturating_add(1)).max(floor))
    }
}

/// What became of a record that was to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is kept.
    Kept,
    /// One with a higher fence was there, and still is.
    Outrun,
}

/// What became of a lease that was to be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// It goes on.
    Held,
    /// It had ended, and may be somebody else's.
    Lost,
}
