//! Calls to tenants' APIs: with a ticket that is fresh, at the address where the tenant lives now.

mod address;
mod call;
mod directory;
mod error;
mod moment;
mod refusals;
mod state;
mod status;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response};

pub use error::{ApiError, ApiErrorKind};
pub use state::TenantState;
pub use status::TenantStatus;

use crate::cache::TicketCache;
use crate::tenant::Tenant;
use call::Call;
use directory::{Directory, Known};
use refusals::is_refusal;

/// Calls the APIs of many tenants with the tickets of a [`TicketCache`].
///
/// Cheap to clone, and made to be shared by any number of tasks; it must be used on a tokio runtime. For each call:
///
/// - The tenant's address comes from the state endpoint, and is kept until its
///   [`valid_until`](TenantStatus::valid_until). On a 421 it is asked for again, and the call repeated once. Where it
///   cannot be asked for, an older address stays in use.
/// - A tenant that is down is called not at all, and gets no ticket: [`ApiErrorKind::TenantDown`] says its state. That is
///   looked at again after [`DOWN_VALIDITY`](Self::DOWN_VALIDITY). After a call that broke or was answered 5xx the state is asked for
///   too, at most once in [`ASK_AGAIN_PAUSE`](Self::ASK_AGAIN_PAUSE).
/// - After a 2xx the ticket's lifetime starts anew.
/// - After a 401 or 403 the ticket is given up for a new one, and the call repeated once. When the new ticket gets
///   the same answer, that is no matter of tickets: the next 403 is returned as it comes for
///   [`FORBIDDEN_MEMORY`](Self::FORBIDDEN_MEMORY), the next 401 for [`UNAUTHORIZED_MEMORY`](Self::UNAUTHORIZED_MEMORY), each time
///   twice as long, up to [`MAX_MEMORY`](Self::MAX_MEMORY), until a new ticket helps. Of the tickets that are younger than
///   [`YOUNG`](Self::YOUNG), a tenant gives up at most one in that time.
///
/// Nothing else is repeated, no redirect is followed, and any answer that is left is returned as it came, errors included.
/// The way is the login client's: its TLS roots, its proxy and its time-outs, of which that for a whole request covers
/// reading the answer too; [`RequestBuilder::timeout`] sets another for a call. Answers are not limited in size.
#[derive(Clone)]
pub struct ApiClient {
    inner: Arc<Inner>,
}

struct Inner {
    cache: TicketCache,
    directory: Directory,
}

impl ApiClient {
    /// Of how many tenants the addresses are kept; of more, those that were called the longest ago are forgotten.
    pub const MAX_TENANTS: usize = 100_000;
    /// For how long it is believed that a tenant is down, unless it says so for a shorter time.
    pub const DOWN_VALIDITY: Duration = directory::DOWN_VALIDITY;
    /// For how long a state that was just asked for again is not asked for once more, whatever the API says.
    pub const ASK_AGAIN_PAUSE: Duration = directory::ASK_AGAIN_PAUSE;
    /// For how long a state endpoint that failed for a tenant is left alone.
    pub const FAILURE_PAUSE: Duration = directory::FAILURE_PAUSE;
    /// For how long a 403 is not taken for an ended ticket after a new ticket got one too, the first time.
    pub const FORBIDDEN_MEMORY: Duration = refusals::FORBIDDEN_MEMORY;
    /// For how long a 401 is not taken for an ended ticket after a new ticket got one too, the first time.
    pub const UNAUTHORIZED_MEMORY: Duration = refusals::UNAUTHORIZED_MEMORY;
    /// For how long either at the most.
    pub const MAX_MEMORY: Duration = refusals::MAX_MEMORY;
    /// Of tickets that were issued more recently than this, a tenant gives up at most one in this time.
    pub const YOUNG: Duration = refusals::YOUNG;

    /// Calls with the tickets of `cache`.
    #[must_use]
    pub fn new(cache: TicketCache) -> Self {
        let directory = Directory::new(cache.client().clone(), Self::MAX_TENANTS);
        Self { inner: Arc::new(Inner { cache, directory }) }
    }

    /// Where the tickets come from.
    #[must_use]
    pub fn cache(&self) -> &TicketCache {
        &self.inner.cache
    }

    /// [`send`](Self::send)s a GET as it is.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn get(&self, tenant: &Tenant, path: &str) -> Result<Response, ApiError> {
        self.send(tenant, Method::GET, path, |request| request).await
    }

    /// Calls `path` below the base of the tenant's API, such as `v1/User/currentPrincipal?$select=FullName`, with the headers
    /// `Authorization` and `SO-AppToken`. `fill` adds what else there is to the request, such as headers, a body or a
    /// time-out; it is asked again for each repetition.
    ///
    /// # Errors
    /// [`ApiErrorKind::Configuration`] when `path` or what `fill` returns leads away from there; else the
    /// [kind](ApiError::kind) says who must act. An answer is no error, whatever its status, but for a 421 that asking for the
    /// tenant's address again does not cure, and a 5xx of a tenant that turns out to be down.
    pub async fn send(
        &self,
        tenant: &Tenant,
        method: Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, ApiError> {
        address::check(path)?;
        let entry = &*self.inner.directory.entry(tenant.context());
        let call = Call { inner: &self.inner, tenant, entry };
        let mut known = call.address().await?;
        let build = |known: &Known| call.build(known, &method, path, &fill);
        // First, since what cannot be sent shall not cost an exchange.
        let mut request = build(&known)?;
        let mut ticket = call.ticket().await?;
        let (mut is_moved, mut given_up_for) = (false, None);
        loop {
            let sent = call.send(request, &known, &ticket).await?;
            let status = sent.status();
            call.learn(status, &ticket, given_up_for);
            if status == StatusCode::MISDIRECTED_REQUEST {
                known = call.new_address(&known, is_moved).await?;
                is_moved = true;
            } else if is_refusal(status)
                && given_up_for.is_none()
                && let Some(another) = call.another_ticket(&ticket, status).await?
            {
                ticket = another;
                given_up_for = Some(status);
            } else {
                return Ok(sent);
            }
            request = build(&known)?;
        }
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient")
            .field("cache", &self.inner.cache)
            .field("tenants", &self.inner.directory.len())
            .finish()
    }
}
