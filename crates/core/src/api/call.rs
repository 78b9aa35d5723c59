//! The steps of one call: where to, with which ticket, and what its answer says of both.

use http::header::{AUTHORIZATION, HOST};
use http::{Method, StatusCode};
use reqwest::{Request, RequestBuilder, Response};

use super::directory::{Entry, Known, Why};
use super::refusals::is_refusal;
use super::{ApiError, Inner, address};
use crate::error::{Error, ErrorKind};
use crate::exchange::SystemUserClient;
use crate::tenant::Tenant;
use crate::ticket::{APP_TOKEN_HEADER, SystemUserTicket};

/// One call to one tenant.
pub(crate) struct Call<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) tenant: &'a Tenant,
    pub(crate) entry: &'a Entry,
}

impl Call<'_> {
    fn client(&self) -> &SystemUserClient {
        self.inner.cache.client()
    }

    pub(crate) async fn address(&self) -> Result<Known, ApiError> {
        let context = self.tenant.context();
        let found = self.inner.directory.find(self.entry, context).await;
        self.running(found.map_err(|error| ApiError::state(context, error))?)
    }

    /// After a 421.
    pub(crate) async fn new_address(&self, known: &Known, is_repetition: bool) -> Result<Known, ApiError> {
        let context = self.tenant.context();
        let misdirected = || ApiError::misdirected(context);
        if is_repetition {
            return Err(misdirected());
        }
        let found = self.inner.directory.find_again(Why::Misdirected, known, self.entry, context).await;
        let found = found.ok_or_else(misdirected)?.map_err(|error| misdirected().with_source(error))?;
        tracing::info!(%context, "the tenant is not where it was; its state was asked for again");
        self.running(found)
    }

    fn running(&self, known: Known) -> Result<Known, ApiError> {
        match known.status.is_running {
            true => Ok(known),
            false => Err(ApiError::tenant_down(self.tenant.context(), &known.status.state)),
        }
    }

    pub(crate) async fn ticket(&self) -> Result<SystemUserTicket, ApiError> {
        let ticket = self.inner.cache.ticket(self.tenant).await;
        ticket.map_err(|error| ApiError::ticket(self.tenant.context(), error))
    }

    /// After a 401 or 403: another ticket, if that is worth an exchange or there is one already.
    pub(crate) async fn another_ticket(
        &self,
        refused: &SystemUserTicket,
        status: StatusCode,
    ) -> Result<Option<SystemUserTicket>, ApiError> {
        let now = self.client().clock().now();
        if !self.entry.refusals.lock().may_give_up(refused, status, now) {
            return Ok(None);
        }
        self.inner.cache.invalidate(self.tenant, refused);
        let ticket = self.ticket().await?;
        Ok((!ticket.is_same_as(refused)).then_some(ticket))
    }

    /// A request without credentials, to below the tenant's address and nowhere else.
    pub(crate) fn build(
        &self,
        known: &Known,
        method: &Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Request, ApiError> {
        let base = known.status.api.as_ref().ok_or_else(|| {
            let message = "the state of a running tenant names no address; tell SuperOffice's support";
            ApiError::state(self.tenant.context(), Error::new(ErrorKind::Protocol, message))
        })?;
        let url = address::join(base, path)?;
        let request = fill(self.client().http().request(method.clone(), url.clone())).build();
        let mut request = request.map_err(|error| {
            ApiError::configuration("the request cannot be built; check what is added to it")
                .with_source(error.without_url())
        })?;
        if !address::is_same_place(request.url(), &url) || request.url().path() != url.path() {
            return Err(ApiError::configuration("the request leads elsewhere; add to the one that is given"));
        }
        request.headers_mut().remove(HOST);
        Ok(request)
    }

    /// Sends it with the ticket. Where that fails, or the API breaks down over it, the tenant may be down.
    pub(crate) async fn send(
        &self,
        mut request: Request,
        known: &Known,
        ticket: &SystemUserTicket,
    ) -> Result<Response, ApiError> {
        for (name, value) in
            [(AUTHORIZATION, ticket.authorization_header()), (APP_TOKEN_HEADER, ticket.app_token_header())]
        {
            request.headers_mut().insert(name, value);
        }
        let context = self.tenant.context();
        let sent = self.client().http().execute(request).await;
        match &sent {
            Ok(response) => tracing::debug!(%context, status = response.status().as_u16(), "called the API"),
            Err(error) => tracing::debug!(%context, %error, "the API could not be called"),
        }
        let is_trouble =
            sent.as_ref().map_or_else(Error::is_retryable, |sent| sent.status().is_server_error());
        if is_trouble
            && let Some(Ok(now)) =
                self.inner.directory.find_again(Why::Broken, known, self.entry, context).await
            && let Err(down) = self.running(now)
        {
            return Err(match sent {
                Ok(_) => down,
                Err(error) => down.with_source(error),
            });
        }
        sent.map_err(|error| ApiError::call(context, error))
    }

    /// What an answer says of the ticket, and of giving up the one before.
    pub(crate) fn learn(
        &self,
        status: StatusCode,
        ticket: &SystemUserTicket,
        given_up_for: Option<StatusCode>,
    ) {
        if status.is_success() {
            self.inner.cache.touch(self.tenant, ticket);
        }
        if status != StatusCode::MISDIRECTED_REQUEST {
            self.entry.is_where_it_was_sought();
        }
        let Some(before) = given_up_for else { return };
        let mut refusals = self.entry.refusals.lock();
        match status {
            _ if is_refusal(status) => refusals.was_no_help(status, self.client().clock().now()),
            StatusCode::MISDIRECTED_REQUEST => {}
            _ if status.is_server_error() => {}
            _ => refusals.was_of_help(before),
        }
    }
}
