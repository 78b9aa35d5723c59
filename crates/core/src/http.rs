//! The way to the login service: TLS but to loopback, no redirect followed, answers capped in size and time.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use http::{Method, StatusCode};
use jiff::Timestamp;
use reqwest::{Certificate, ClientBuilder, Proxy, Request, RequestBuilder, Response, redirect};
use url::Url;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::jwt::TrustRule;
use crate::retry::{Failure, RetryPolicy};
use crate::secret::extend_wiping;

/// The largest answer that is read, in bytes. Those of the service have some kilobytes.
pub const MAX_ANSWER_SIZE: usize = 1024 * 1024;

/// How long connecting and a whole request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For name look-up, TCP and TLS together.
    pub connect: Duration,
    /// For one request, from its start to the end of the answer.
    pub request: Duration,
}

impl Timeouts {
    /// For name look-up, TCP and TLS together, unless set otherwise.
    pub const DEFAULT_CONNECT: Duration = Duration::from_secs(10);
    /// For one whole request, unless set otherwise.
    pub const DEFAULT_REQUEST: Duration = Duration::from_secs(30);
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Self::DEFAULT_CONNECT, request: Self::DEFAULT_REQUEST }
    }
}

/// What a caller may choose of the connection; the trust rules are not among it.
#[derive(Debug, Default)]
pub(crate) struct HttpOptions {
    pub(crate) base: Option<ClientBuilder>,
    pub(crate) extra_roots: Vec<Certificate>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
}

/// Sends requests to the login service.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
}

impl HttpClient {
    pub(crate) fn build(
        environment: &Environment,
        options: HttpOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let mut builder = options
            .base
            .unwrap_or_default()
            // What a caller's own builder may say of these is not heard.
            .tls_danger_accept_invalid_certs(false)
            .tls_danger_accept_invalid_hostnames(false)
            .tls_sslkeylogfile(false)
            .connection_verbose(false)
            .redirect(redirect::Policy::none())
            .https_only(!environment.is_loopback())
            .connect_timeout(options.timeouts.connect)
            .timeout(options.timeouts.request)
            .user_agent(USER_AGENT);
        if !options.extra_roots.is_empty() {
            builder = builder.tls_certs_merge(options.extra_roots);
        }
        builder = match options.proxy {
            Some(proxy) => builder.proxy(proxy),
            // A proxy of the environment variables has no business with this machine's own traffic.
            None if environment.is_loopback() => builder.no_proxy(),
            None => builder,
        };
        let client = builder.build().map_err(|error| {
            Error::configuration("the HTTP client cannot be built; check the extra roots and the proxy")
                .with_source(error)
        })?;
        Ok(Self { client, retry: options.retry, clock })
    }

    /// The same way, on which a request is sent once.
    pub(crate) fn without_retries(&self) -> Self {
        Self { retry: RetryPolicy::never(), ..self.clone() }
    }

    pub(crate) fn get(&self, url: &str) -> Result<Request, Error> {
        self.client.get(url).build().map_err(|error| transport(error.without_url(), url))
    }

    pub(crate) fn post(&self, url: &str, headers: HeaderMap, body: reqwest::Body) -> Result<Request, Error> {
        let request = self.client.post(url).headers(headers).body(body).build();
        request.map_err(|error| transport(error.without_url(), url))
    }

    /// Begins a request whose answer is the caller's.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request once, and returns its answer whatever the status, unread.
    pub(crate) async fn execute(&self, request: Request) -> Result<Response, Error> {
        // What is behind the host is the caller's, and nobody else's business.
        let origin = request.url().origin().ascii_serialization();
        self.client.execute(request).await.map_err(|error| transport(error.without_url(), &origin))
    }

    /// Sends what `request` makes, again after failures on the way, and returns an answer of status 200.
    pub(crate) async fn send(&self, request: impl Fn() -> Result<Request, Error>) -> Result<Answer, Error> {
        self.send_for(&[StatusCode::OK], request).await
    }

    /// As [`send`](Self::send), for answers of these statuses.
    pub(crate) async fn send_for(
        &self,
        statuses: &[StatusCode],
        request: impl Fn() -> Result<Request, Error>,
    ) -> Result<Answer, Error> {
        self.retry
            .run(|| {
                let request = request();
                async { self.send_once(statuses, request?).await }
            })
            .await
    }

    async fn send_once(&self, statuses: &[StatusCode], request: Request) -> Result<Answer, Failure> {
        let url = request.url().to_string();
        let failed = |error: reqwest::Error| Failure::from(transport(error.without_url(), &url));
        let response = self.client.execute(request).await.map_err(failed)?;
        let now = self.clock.now();
        let status = response.status();
        let unexpected = (status != StatusCode::OK).then(|| unexpected_status(&response, &url, now));
        let unexpected = match unexpected {
            Some(unexpected) if !statuses.contains(&status) => return Err(unexpected),
            other => other,
        };
        let date = header_text(response.headers(), &DATE).and_then(http_date);
        let content_type = header_text(response.headers(), &CONTENT_TYPE).map(str::to_owned);
        let Some(body) = read_capped(response, &url).await? else {
            return Err(unexpected.unwrap_or_else(|| too_large(&url)));
        };
        Ok(Answer { status, body, content_type, date, received: now })
    }
}

/// An answer of a status that was asked for, whole and not too large.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
    pub(crate) content_type: Option<String>,
    /// The server's clock, from the header `Date`.
    pub(crate) date: Option<Timestamp>,
    /// Our clock when the answer's head came.
    pub(crate) received: Timestamp,
}

#[cfg(any(test, fuzzing))]
impl Answer {
    pub(crate) fn of_body(body: &[u8], content_type: Option<&str>) -> Self {
        Self {
            status: StatusCode::OK,
            body: Zeroizing::new(body.to_vec()),
            content_type: content_type.map(str::to_owned),
            date: None,
            received: Timestamp::UNIX_EPOCH,
        }
    }
}

fn unexpected_status(response: &Response, url: &str, now: Timestamp) -> Failure {
    let status = response.status();
    match status {
        _ if status.is_redirection() => Error::untrusted(
            TrustRule::Redirected,
            format!("{url} answered {status}, and redirects are not followed; check the environment and any proxy between"),
        )
        .into(),
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let error = Error::new(ErrorKind::Transport, format!("{url} answered {status}; try again later"));
            Failure::new(error, retry_after(response.headers(), now))
        }
        _ => Error::new(
            ErrorKind::Protocol,
            format!("{url} answered {status} where only 200 is known; check the environment and any proxy between"),
        )
        .into(),
    }
}

/// The body, unless it is too large.
async fn read_capped(mut response: Response, url: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    if response.content_length().is_some_and(|length| length > MAX_ANSWER_SIZE as u64) {
        return Ok(None);
    }
    let mut body = Zeroizing::new(Vec::with_capacity(INITIAL_ANSWER_CAPACITY));
    loop {
        let chunk =
            response.chunk().await.map_err(|error| Failure::from(transport(error.without_url(), url)))?;
        let Some(chunk) = chunk else { return Ok(Some(body)) };
        if body.len() + chunk.len() > MAX_ANSWER_SIZE {
            return Ok(None);
        }
        extend_wiping(&mut body, &chunk);
    }
}

fn too_large(url: &str) -> Failure {
    let message =
        format!("the answer of {url} is larger than {MAX_ANSWER_SIZE} bytes, which no true answer is");
    Error::untrusted(TrustRule::TooLarge, message).into()
}

fn transport(error: reqwest::Error, url: &str) -> Error {
    if find_cause::<rustls::Error>(&error)
        .is_some_and(|cause| matches!(cause, rustls::Error::InvalidCertificate(_)))
    {
        let message = format!(
            "the TLS certificate of {url} is not trusted; add the authority's root only if it is known to be your company's or your emulator's"
        );
        return Error::untrusted(TrustRule::Tls, message).with_source(error);
    }
    if error.is_builder() {
        let message = format!("{url} cannot be asked; plain http is allowed to this machine only");
        return Error::configuration(message).with_source(error);
    }
    let what = match () {
        () if error.is_timeout() => "did not answer in time",
        () if error.is_connect() => "cannot be reached",
        () => "broke off",
    };
    let message = format!("{url} {what}; check the network, the proxy and the firewall");
    Error::new(ErrorKind::Transport, message).with_source(error)
}

/// Looks through the chain of causes, and into the errors that [`io::Error`] wraps without showing them as a source.
fn find_cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = header_text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // A date is meant by the server's clock, so it is compared with that where the server shows it.
    let now = header_text(headers, &DATE).and_then(http_date).unwrap_or(now);
    Duration::try_from(http_date(text)?.duration_since(now)).ok()
}

fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

const USER_AGENT: &str = concat!("soticket/", env!("CARGO_PKG_VERSION"));
const INITIAL_ANSWER_CAPACITY: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = Timestamp::UNIX_EPOCH;
        let seconds = headers(&[(RETRY_AFTER, "7")]);
        assert_eq!(retry_after(&seconds, now), Some(Duration::from_secs(7)));
        let date = headers(&[(RETRY_AFTER, "Thu, 01 Jan 1970 00:01:00 GMT")]);
        assert_eq!(retry_after(&date, now), Some(Duration::from_secs(60)));
        let past = headers(&[(RETRY_AFTER, "Wed, 31 Dec 1969 00:01:00 GMT")]);
        assert_eq!(retry_after(&past, now), None);
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "soon")]), now), None);
    }

    #[test]
    fn a_retry_after_date_is_meant_by_the_servers_clock() {
        let both = headers(&[
            (RETRY_AFTER, "Thu, 01 Jan 1970 00:01:00 GMT"),
            (DATE, "Thu, 01 Jan 1970 00:00:50 GMT"),
        ]);
        let wrong_clock = Timestamp::from_second(1_000_000).unwrap();
        assert_eq!(retry_after(&both, wrong_clock), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_cause_is_found_inside_an_io_error() {
        let inner = rustls::Error::DecryptError;
        let outer = io::Error::other(io::Error::other(inner));
        assert_eq!(find_cause::<rustls::Error>(&outer), Some(&rustls::Error::DecryptError));
    }
}
