//! Answers that faults put in the place of the true ones.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::body::Streamed;
use super::{http_date, plain};
use crate::faults::{Fault, FaultyBody, RetryAfter};
use crate::shared::Shared;

const PAGE: &str = "<!DOCTYPE html><html><body><h1>Service Unavailable</h1></body></html>";
const GARBAGE: &[u8] = &[0xff, 0x00, 0xfe, b'{', 0x80, 0x01];

/// The answer of a fault that needs nothing of the request.
pub(super) fn replaced(shared: &Shared, fault: &Fault) -> Option<Response<Body>> {
    let status = |number: u16| StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (code, extra) = match fault {
        Fault::Drop => (StatusCode::OK, None),
        Fault::Status { status: number, body } => return Some(faulty_body(status(*number), body)),
        Fault::TooManyRequests { retry_after } => {
            (StatusCode::TOO_MANY_REQUESTS, Some((header::RETRY_AFTER, retry(shared, *retry_after))))
        }
        Fault::Redirect { status: number, location } => {
            (status(*number), Some((header::LOCATION, location.clone())))
        }
        _ => return None,
    };
    let mut response = plain(code, "text/plain", Body::empty());
    if let Some((name, Ok(value))) = extra.map(|(name, text)| (name, HeaderValue::from_str(&text))) {
        response.headers_mut().insert(name, value);
    }
    Some(response)
}

fn retry(shared: &Shared, after: RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(seconds) => http_date(shared.ends(Duration::from_secs(seconds.into()))),
    }
}

fn faulty_body(status: StatusCode, body: &FaultyBody) -> Response<Body> {
    match body {
        FaultyBody::Empty => plain(status, "text/plain", Body::empty()),
        FaultyBody::Html => plain(status, "text/html; charset=utf-8", PAGE),
        FaultyBody::Garbage => plain(status, "application/json", GARBAGE),
        FaultyBody::Huge(size) => plain(status, "application/json", Body::new(Streamed::sized(*size))),
    }
}
