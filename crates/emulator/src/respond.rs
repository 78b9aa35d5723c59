//! From a request to an answer: routes, faults, log.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::codec::Rejection;
use crate::faults::Fault;
use crate::log::{Entry, Outcome};
use crate::shared::{Shared, lock};
use crate::{api, discovery, login, rest, soap};
use route::{Route, Site};

mod body;
mod exchange;
mod faulty;
mod route;

/// The connection is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection dropped on demand")]
pub(crate) struct Dropped;

struct Answer {
    response: Response<Body>,
    outcome: Outcome,
    context: Option<String>,
}

impl Answer {
    fn of(response: Response<Body>) -> Self {
        let outcome = if response.status().is_success() { Outcome::Answered } else { Outcome::Rejected };
        Self { response, outcome, context: None }
    }

    fn new(status: StatusCode, body: &Value) -> Self {
        Self::of(json(status, body))
    }

    fn rejected(status: StatusCode, message: &str) -> Self {
        Self::of(rest::message(status, message))
    }

    fn faulty(response: Response<Body>) -> Self {
        Self { response, outcome: Outcome::Faulty, context: None }
    }
}

/// Answers one request that came to `port`.
pub(crate) async fn respond<B>(
    shared: Arc<Shared>,
    port: u16,
    request: Request<B>,
) -> Result<Response<Body>, Dropped>
where
    B: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
    let site = if port == shared.login_port { Site::LoginAndTenants } else { Site::Tenants };
    let route = Route::of(&head.method, &path, site);
    if route == Route::Statistics {
        return Ok(json(StatusCode::OK, &json!(shared.statistics())));
    }
    let asked = match route {
        // The tenant that faults are to find is named in there.
        Route::Exchange(codec) => Some(exchange::read(codec, &head.headers, Body::new(body)).await),
        _ => None,
    };
    let context = asked.as_ref().and_then(|asked| asked.as_ref().ok()).map(|request| &*request.context);
    let faults = shared.faults.take(route.scope(), context.or(route.context()));
    for fault in &faults {
        if let Fault::Latency { milliseconds } = fault {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
    }
    let fault = faults.iter().find(|fault| !matches!(fault, Fault::Latency { .. } | Fault::WrongDate { .. }));
    let dropped = fault == Some(&Fault::Drop);
    let mut answer = match fault.and_then(|fault| faulty::replaced(&shared, fault)) {
        Some(response) => Answer::faulty(response),
        None => serve(&shared, &route, port, &head, asked, fault).await,
    };
    if fault == Some(&Fault::DropMidBody) {
        answer.response = answer.response.map(|_| Body::new(body::Streamed::broken()));
        answer.outcome = Outcome::Faulty;
    }
    set_date(&shared, &mut answer.response, &faults);
    let status = (!dropped).then(|| answer.response.status().as_u16());
    let (outcome, context) = (answer.outcome, answer.context);
    let entry = Entry { time: shared.clock.now(), method, path, status, outcome, context };
    shared.log.push(entry, route.kind());
    if dropped { Err(Dropped) } else { Ok(answer.response) }
}

async fn serve(
    shared: &Arc<Shared>,
    route: &Route,
    port: u16,
    head: &Parts,
    asked: Option<Result<login::Request, Rejection>>,
    fault: Option<&Fault>,
) -> Answer {
    let allowed = route.method();
    if *route != Route::None && head.method != allowed {
        let mut answer = Answer::rejected(StatusCode::METHOD_NOT_ALLOWED, "wrong method");
        if let Ok(value) = HeaderValue::from_str(allowed.as_str()) {
            answer.response.headers_mut().insert(header::ALLOW, value);
        }
        return answer;
    }
    let host = host(&head.headers);
    match route {
        Route::Exchange(codec) => exchange::exchange(shared, *codec, asked, fault).await,
        Route::Description => Answer::of(describe(&head.uri, &format!("{}://{host}", shared.scheme))),
        Route::Discovery => {
            Answer::new(StatusCode::OK, &discovery::document(&format!("{}://{host}", shared.scheme)))
        }
        Route::Jwks => Answer::new(
            StatusCode::OK,
            &match fault {
                Some(Fault::EmptyKeySet) => json!({"keys": []}),
                Some(Fault::GarbageKeys) => discovery::garbage_key_set(),
                _ => discovery::key_set(&lock(&shared.keys)),
            },
        ),
        Route::State(context) => {
            let answer = Answer::new(StatusCode::OK, &discovery::state(shared, context, &host, fault));
            of(shared, answer, context)
        }
        Route::Api(context) => {
            let (status, body) = api::current_principal(shared, context, port, &head.headers);
            of(shared, Answer::new(status, &body), context)
        }
        Route::Statistics | Route::None => Answer::rejected(StatusCode::NOT_FOUND, "nothing is served here"),
    }
}

/// The SOAP service's WSDL, or a page that leads to it.
fn describe(uri: &Uri, origin: &str) -> Response<Body> {
    let location = format!("{origin}{}", uri.path());
    let query = uri.query().unwrap_or_default();
    let is_wanted = ["wsdl", "singleWsdl"].iter().any(|name| query.eq_ignore_ascii_case(name));
    if is_wanted { soap::wsdl(&location) } else { soap::page(&location) }
}

/// Names the tenant in the log, if it is one.
fn of(shared: &Shared, mut answer: Answer, context: &str) -> Answer {
    answer.context = shared.tenant(context, |tenant| tenant.config.context.clone());
    answer
}

/// The host that a client asked for.
fn host(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    host.unwrap_or("localhost").to_owned()
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response<Body> {
    plain(status, "application/json; charset=utf-8", body.to_string())
}

pub(crate) fn plain(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Always, because the server would else set the machine's.
fn set_date(shared: &Shared, response: &mut Response<Body>, faults: &[Fault]) {
    let off: i64 =
        faults.iter().map(|fault| if let Fault::WrongDate { seconds } = fault { *seconds } else { 0 }).sum();
    let at = crate::clock::shifted(shared.clock.now(), jiff::SignedDuration::from_secs(off));
    if let Ok(value) = HeaderValue::from_str(&http_date(at)) {
        response.headers_mut().insert(header::DATE, value);
    }
}

fn http_date(at: jiff::Timestamp) -> String {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
}
