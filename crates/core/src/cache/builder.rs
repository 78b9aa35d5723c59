//! How a cache is put together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::held::Margins;
use super::limits::{ExchangeLimits, Limits};
use super::shelf::Shelf;
use super::statistics::Counters;
use super::table::Table;
use super::tasks::Tasks;
use super::{Exchange, Handle, Inner, TicketCache};
use crate::exchange::SystemUserClient;
use crate::store::TicketStore;

/// Builds a [`TicketCache`].
pub struct TicketCacheBuilder {
    client: SystemUserClient,
    exchange: Arc<dyn Exchange>,
    store: Option<Arc<dyn TicketStore>>,
    margins: Margins,
    error_memory: Duration,
    max_tenants: usize,
    limits: ExchangeLimits,
}

impl TicketCacheBuilder {
    /// How long before its end a ticket is renewed, unless set otherwise; at most a quarter of its lifetime.
    pub const DEFAULT_MARGIN: Duration = Duration::from_secs(10 * 60);
    /// How much earlier than that at the most, left to chance for each ticket so that a fleet does not renew in step,
    /// unless set otherwise; at most a quarter of its lifetime.
    pub const DEFAULT_JITTER: Duration = Duration::from_secs(5 * 60);
    /// What a ticket that is handed out still has to its end, for its first use; at most an eighth of its lifetime.
    pub const RESERVE: Duration = Duration::from_secs(30);
    /// For how long a refusal is remembered, and any other failure at the most, unless set otherwise.
    pub const DEFAULT_ERROR_MEMORY: Duration = Duration::from_secs(60);
    /// How many tenants are kept, unless set otherwise.
    pub const DEFAULT_MAX_TENANTS: usize = 100_000;

    pub(super) fn new(client: SystemUserClient) -> Self {
        Self {
            exchange: Arc::new(client.clone()),
            client,
            store: None,
            margins: Margins {
                renewal: Self::DEFAULT_MARGIN,
                jitter: Self::DEFAULT_JITTER,
                reserve: Self::RESERVE,
            },
            error_memory: Self::DEFAULT_ERROR_MEMORY,
            max_tenants: Self::DEFAULT_MAX_TENANTS,
            limits: ExchangeLimits::default(),
        }
    }

    /// Keeps tickets in `store` too, for later and for others; in memory alone without it.
    #[must_use]
    pub fn with_store(mut self, store: impl TicketStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// How long before its end a ticket is renewed, and how much earlier than that at the most. With none of either, a
    /// ticket is handed out until it has [`RESERVE`](Self::RESERVE) left.
    #[must_use]
    pub fn with_renewal(mut self, margin: Duration, jitter: Duration) -> Self {
        self.margins = Margins { renewal: margin, jitter, ..self.margins };
        self
    }

    /// For how long a refusal is remembered, and any other failure at the most.
    #[must_use]
    pub fn with_error_memory(mut self, memory: Duration) -> Self {
        self.error_memory = memory;
        self
    }

    /// How many tenants are kept; of more, those that were asked for the longest ago are forgotten. 0 counts as 1.
    #[must_use]
    pub fn with_max_tenants(mut self, tenants: usize) -> Self {
        self.max_tenants = tenants;
        self
    }

    /// How many exchanges run at once and start in a second.
    #[must_use]
    pub fn with_limits(mut self, limits: ExchangeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Puts it together.
    #[must_use]
    pub fn build(self) -> TicketCache {
        let counters = Arc::<Counters>::default();
        let inner = Inner {
            client: self.client,
            exchange: self.exchange,
            margins: self.margins,
            error_memory: self.error_memory,
            table: Table::new(self.max_tenants, Arc::clone(&counters)),
            limits: Limits::new(self.limits),
            shelf: self.store.map(|store| Shelf::new(store, Arc::clone(&counters))),
            counters,
        };
        TicketCache { handle: Arc::new(Handle { inner: Arc::new(inner), tasks: Tasks::default() }) }
    }

    #[cfg(test)]
    pub(super) fn with_exchange(mut self, exchange: Arc<dyn Exchange>) -> Self {
        self.exchange = exchange;
        self
    }
}

impl fmt::Debug for TicketCacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketCacheBuilder")
            .field("client", &self.client)
            .field("store", &self.store)
            .field("margins", &self.margins)
            .field("error_memory", &self.error_memory)
            .field("max_tenants", &self.max_tenants)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
