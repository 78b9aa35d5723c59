//! A store in memory, for several caches of one process and for tests.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::{Fence, Lease, Record, Saved, StoreError, TicketKey, TicketStore};
use crate::clock::{Clock, SystemClock};

/// Keeps tickets in memory. A cache has its own memory already: this is for several of them, and for tests.
///
/// Clones share what is kept.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    records: HashMap<TicketKey, Record>,
    leased: HashSet<TicketKey>,
    last_fence: Option<Fence>,
}

impl MemoryStore {
    /// A store with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl TicketStore for MemoryStore {
    async fn load(&self, key: &TicketKey) -> Result<Option<Record>, StoreError> {
        Ok(self.0.lock().records.get(key).cloned())
    }

    async fn save(&self, key: &TicketKey, record: &Record) -> Result<Saved, StoreError> {
        let mut kept = self.0.lock();
        if kept.records.get(key).is_some_and(|there| there.fence > record.fence) {
            return Ok(Saved::Outrun);
        }
        kept.records.insert(*key, record.clone());
        Ok(Saved::Kept)
    }

    async fn remove(&self, key: &TicketKey, fence: Fence) -> Result<(), StoreError> {
        let mut kept = self.0.lock();
        if kept.records.get(key).is_some_and(|there| there.fence == fence) {
            kept.records.remove(key);
        }
        Ok(())
    }

    async fn lease(&self, key: &TicketKey) -> Result<Option<Box<dyn Lease>>, StoreError> {
        let mut kept = self.0.lock();
        if !kept.leased.insert(*key) {
            return Ok(None);
        }
        let fence = Fence::after(kept.last_fence, SystemClock.now());
        kept.last_fence = Some(fence);
        Ok(Some(Box::new(MemoryLease { kept: Arc::clone(&self.0), key: *key, fence })))
    }
}

/// Ends when it is dropped: whoever dropped it is in this process.
#[derive(Debug)]
struct MemoryLease {
    kept: Arc<Mutex<Kept>>,
    key: TicketKey,
    fence: Fence,
}

#[async_trait]
impl Lease for MemoryLease {
    fn fence(&self) -> Fence {
        self.fence
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        self.kept.lock().leased.remove(&self.key);
    }
}
