//! The REST form of the exchange, without I/O: a request to bytes, bytes to an answer.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::Body;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::exchange::message::{ExchangeRequest, ServiceAnswer, unreadable};
use crate::http::Answer;

pub(crate) fn body(request: &ExchangeRequest<'_>) -> Result<Body, Error> {
    let wire = WireRequest {
        signed_system_token: request.signed_system_token.expose(),
        application_token: request.client_secret.expose(),
        context_identifier: request.context.as_str(),
        return_token_type: "JWT",
    };
    let mut json = Zeroizing::new(Vec::with_capacity(request.max_size(LONGEST_ESCAPE)));
    serde_json::to_writer(&mut *json, &wire)
        .map_err(|error| Error::new(ErrorKind::Bug, "the request cannot be written").with_source(error))?;
    Ok(Body::from(bytes::Bytes::from_owner(json)))
}

pub(crate) fn headers() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(CONTENT_TYPE, json.clone()), (ACCEPT, json)])
}

/// Reads an answer of status 200.
pub(crate) fn decode(answer: &Answer) -> Result<ServiceAnswer, Error> {
    let wire: WireAnswer = serde_json::from_slice(&answer.body).map_err(|error| {
        // serde's own words could repeat a part of the answer; where it stopped says enough.
        unreadable(answer, "JSON", format_args!("line {}, column {}", error.line(), error.column()))
    })?;
    let WireAnswer { is_successful, token, error_message } = wire;
    Ok(ServiceAnswer { is_successful, token, error_message })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireRequest<'a> {
    signed_system_token: &'a str,
    application_token: &'a str,
    context_identifier: &'a str,
    return_token_type: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAnswer {
    is_successful: bool,
    token: Option<String>,
    error_message: Option<String>,
}

/// A character that JSON escapes, `\u0000`, in bytes.
const LONGEST_ESCAPE: usize = 6;

#[cfg(test)]
mod tests;
