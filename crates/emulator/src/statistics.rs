//! What came of all requests so far, in numbers.

use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::shared::{Shared, lock};

/// How often what came of requests since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Statistics {
    /// All requests, but for those for these numbers.
    pub requests: u64,
    /// Exchanges that made a JWT, broken ones included.
    pub exchanges: u64,
    /// Exchanges that gave a ticket.
    pub issued: u64,
    /// Exchanges that were refused.
    pub refused: u64,
    /// Exchanges that ended in another way: by a fault, or because they could not be read.
    pub failed: u64,
    /// The exchanges that made a JWT for the tenant that had the most of them.
    pub most_for_one_tenant: u64,
}

impl Shared {
    pub(crate) fn statistics(&self) -> Statistics {
        let counts = self.log.counts();
        Statistics {
            requests: counts.requests,
            exchanges: self.exchanges.load(Ordering::Relaxed),
            issued: counts.issued,
            refused: counts.refused,
            failed: counts.failed,
            most_for_one_tenant: lock(&self.tenants)
                .values()
                .map(|tenant| tenant.exchanges)
                .max()
                .unwrap_or(0),
        }
    }
}
