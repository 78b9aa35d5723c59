//! Which tenants are kept: found without a lock, bounded in number, those that nobody asked for go first.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use papaya::{HashMap, HashMapRef, LocalGuard};
use parking_lot::Mutex;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::entry::Entry;
use super::statistics::Counters;
use crate::tenant::{ContextIdentifier, Tenant};

/// The tenants of a cache.
pub(crate) struct Table {
    entries: HashMap<Identity, Arc<Entry>, Prehashed>,
    /// Nobody outside knows it, so nobody can choose tenants that collide.
    secret: (u64, u64),
    max_tenants: usize,
    pruning: Mutex<()>,
    /// How many calls are let pass before all are looked at again, when there was nobody to take out but who is waited for.
    in_vain: AtomicUsize,
    counters: Arc<Counters>,
}

type Pinned<'a> = HashMapRef<'a, Identity, Arc<Entry>, Prehashed, LocalGuard<'a>>;
type Prehashed = BuildHasherDefault<LowerHalf>;

/// Stands for a tenant by its name, whatever its case, and its system user token: another token is another approval.
///
/// 128 bits of a keyed hash and not the two themselves, which would cost a hit their way from memory; among as many
/// tenants as fit into it, two of the same are out of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity(u128);

impl Table {
    pub(crate) fn new(max_tenants: usize, counters: Arc<Counters>) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self {
            entries: HashMap::default(),
            secret: (random(), random()),
            max_tenants: max_tenants.max(1),
            pruning: Mutex::new(()),
            in_vain: AtomicUsize::new(0),
            counters,
        }
    }

    pub(crate) fn pin(&self) -> Pinned<'_> {
        self.entries.pin()
    }

    /// Allocates nothing.
    pub(crate) fn identity(&self, tenant: &Tenant) -> Identity {
        let mut folded = [0; ContextIdentifier::MAX_LENGTH];
        let name = tenant.context().as_str().as_bytes();
        let folded = &mut folded[..name.len()];
        folded.copy_from_slice(name);
        folded.make_ascii_lowercase();
        let mut hasher = SipHasher13::new_with_keys(self.secret.0, self.secret.1);
        // A name holds no such byte, which therefore ends it.
        hasher.write(folded);
        hasher.write_u8(0);
        hasher.write(tenant.system_user_token().expose().as_bytes());
        Identity(hasher.finish128().as_u128())
    }

    pub(crate) fn find(&self, tenant: &Tenant) -> Option<Arc<Entry>> {
        self.pin().get(&self.identity(tenant)).cloned()
    }

    pub(crate) fn find_or_insert(&self, tenant: &Tenant) -> Arc<Entry> {
        let identity = self.identity(tenant);
        if let Some(entry) = self.pin().get(&identity) {
            return Arc::clone(entry);
        }
        let entry = Arc::clone(self.pin().get_or_insert_with(identity, Arc::default));
        self.shrink(&entry);
        entry
    }

    /// Comes back to the number of tenants that may be kept, as far as nobody waits for the others. `newcomer` stays.
    pub(crate) fn shrink(&self, newcomer: &Arc<Entry>) {
        if self.entries.len() <= self.max_tenants {
            return;
        }
        let is_let_pass =
            self.in_vain.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| calls.checked_sub(1));
        if is_let_pass.is_err() {
            self.prune(newcomer);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.pin().values().cloned().collect()
    }

    /// Takes out those that were asked for the longest ago, a few more than need be, since finding them means to look at all.
    /// Whoever has just come stays, and so does who is waited for.
    fn prune(&self, newcomer: &Arc<Entry>) {
        let Some(_pruning) = self.pruning.try_lock() else { return };
        let entries = self.pin();
        let mut idle: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| !Arc::ptr_eq(entry, newcomer))
            .map(|(identity, entry)| (entry.last_seen(), identity, entry))
            .collect();
        idle.sort_unstable_by_key(|(seen, ..)| *seen);
        let surplus = entries.len().saturating_sub(self.max_tenants);
        let wanted = surplus + self.max_tenants / EXTRA_SHARE;
        let evicted = idle.into_iter().filter(|(.., entry)| entry.evict()).take(wanted);
        for (_, identity, entry) in evicted {
            entries.remove(identity);
            self.counters.evicted(entry.hits());
        }
        if entries.len() > self.max_tenants {
            // All that are left are waited for, and come by when they are served.
            self.in_vain.store(entries.len() / EXTRA_SHARE, Ordering::Relaxed);
        }
    }
}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        #[allow(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
        state.write_u64(self.0 as u64);
    }
}

/// What is a hash already is not hashed again.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct LowerHalf(u64);

impl Hasher for LowerHalf {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // An identity writes a `u64` and nothing else.
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// One in so many tenants goes beyond those that have to.
const EXTRA_SHARE: usize = 64;
