//! What all connections of one emulator share.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, shifted};
use crate::config::{Config, TenantConfig};
use crate::faults::Faults;
use crate::keys::LoginKey;
use crate::log::Log;
use crate::tickets::Tickets;

/// A tenant as it is now, the port of its API, and how many exchanges made a JWT for it.
pub(crate) struct Tenant {
    pub(crate) config: TenantConfig,
    pub(crate) port: u16,
    pub(crate) exchanges: u64,
}

/// The tenants by their names in lower case; of two with the same name, the first.
pub(crate) fn by_name(configs: impl IntoIterator<Item = TenantConfig>, port: u16) -> HashMap<String, Tenant> {
    let mut tenants = HashMap::new();
    for config in configs {
        let tenant = |config| Tenant { config, port, exchanges: 0 };
        tenants.entry(config.context.to_ascii_lowercase()).or_insert_with(|| tenant(config));
    }
    tenants
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    /// The first signs; all are published.
    pub(crate) keys: Mutex<Vec<Arc<LoginKey>>>,
    pub(crate) tenants: Mutex<HashMap<String, Tenant>>,
    pub(crate) tickets: Mutex<Tickets>,
    pub(crate) exchanges: AtomicU64,
    pub(crate) scheme: &'static str,
    pub(crate) login_port: u16,
}

impl Shared {
    /// Runs `with` on the tenant of this name, whatever its case.
    pub(crate) fn tenant<R>(&self, context: &str, with: impl FnOnce(&mut Tenant) -> R) -> Option<R> {
        lock(&self.tenants).get_mut(&context.to_ascii_lowercase()).map(with)
    }

    pub(crate) fn signing_key(&self) -> Option<Arc<LoginKey>> {
        lock(&self.keys).first().cloned()
    }

    /// When something that starts now and lasts `lifetime` ends.
    pub(crate) fn ends(&self, lifetime: std::time::Duration) -> Timestamp {
        shifted(self.clock.now(), SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX))
    }

    /// The address of `port` for a client that asked for `host`.
    pub(crate) fn origin(&self, host: &str, port: u16) -> String {
        let name = if host.starts_with('[') {
            host.split_inclusive(']').next().unwrap_or(host)
        } else {
            host.split(':').next().unwrap_or(host)
        };
        format!("{}://{name}:{port}", self.scheme)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
