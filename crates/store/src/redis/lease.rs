//! A lease in a Redis: a key of its owner's, which expires unless it is renewed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::rand;
use soticket_core::store::{Fence, Lease, Renewed, StoreError, StoreErrorKind, TicketKey};

use super::{Inner, Part, name};

#[derive(Debug)]
pub(crate) struct RedisLease {
    inner: Arc<Inner>,
    /// Under what it is kept.
    name: String,
    owner: String,
    fence: Fence,
}

/// `None` when somebody else has it.
pub(crate) async fn try_take(inner: &Arc<Inner>, key: &TicketKey) -> Result<Option<RedisLease>, StoreError> {
    let (name, owner) = (name(key, Part::Lease), random_owner()?);
    let mut lease = inner.scripts.lease.key(&name);
    lease.key(super::name(key, Part::Fence)).arg(&owner);
    lease.arg(inner.options.lease_milliseconds()).arg(FENCE_KEPT.as_millis().to_string());
    let fence: Option<u64> = inner.link.invoke(&lease).await?;
    let inner = Arc::clone(inner);
    Ok(fence.map(|fence| RedisLease { inner, name, owner, fence: Fence(fence) }))
}

#[async_trait]
impl Lease for RedisLease {
    fn fence(&self) -> Fence {
        self.fence
    }

    fn renewal_interval(&self) -> Option<Duration> {
        Some(self.inner.options.lease_length / RENEWALS_IN_A_LEASE)
    }

    async fn renew(&self) -> Result<Renewed, StoreError> {
        let mut renew = self.inner.scripts.renew.key(&self.name);
        renew.arg(&self.owner).arg(self.inner.options.lease_milliseconds());
        let held: bool = self.inner.link.invoke(&renew).await?;
        Ok(if held { Renewed::Held } else { Renewed::Lost })
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        let mut release = self.inner.scripts.release.key(&self.name);
        self.inner.link.invoke(release.arg(&self.owner)).await
    }
}

/// Nobody's who had the lease before.
fn random_owner() -> Result<String, StoreError> {
    let mut bytes = [0; OWNER_LENGTH];
    rand::fill(&mut bytes).map_err(|cause| {
        let message = "the system gives no random numbers to know a lease by";
        StoreError::new(StoreErrorKind::Unavailable, message).with_source(cause)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// In bytes.
const OWNER_LENGTH: usize = 16;

/// So that one or two of them may fail.
const RENEWALS_IN_A_LEASE: u32 = 3;

/// How long the last fence of a tenant is remembered that nobody exchanges for; the next one is above it by its time.
const FENCE_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
