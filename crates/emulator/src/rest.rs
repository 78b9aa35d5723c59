//! The REST codec of the exchange: JSON in, JSON out.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use crate::codec::{Rejection, Reply};
use crate::login::Request;
use crate::respond::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRequest {
    signed_system_token: String,
    application_token: String,
    context_identifier: String,
    return_token_type: String,
}

/// The type has to be JSON.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Rejection> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(message(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json").into())
}

/// Reads a request's body.
pub(crate) fn decode(body: &[u8], host: String) -> Result<Request, Rejection> {
    let rejected = |text| Box::new(message(StatusCode::BAD_REQUEST, text));
    let body: WireRequest =
        serde_json::from_slice(body).map_err(|_| rejected("the body is not the JSON object asked for"))?;
    if !body.return_token_type.eq_ignore_ascii_case("JWT") {
        return Err(rejected("the ReturnTokenType is not JWT"));
    }
    Ok(Request {
        signed_system_token: body.signed_system_token,
        application_token: body.application_token,
        context: body.context_identifier,
        host,
    })
}

pub(crate) fn encode(reply: &Reply<'_>) -> Response<Body> {
    let (is_successful, token, error) = match *reply {
        Reply::Success(token) => (true, token, None),
        Reply::Refusal(text) => (false, None, Some(text)),
        Reply::Internal => return message(StatusCode::INTERNAL_SERVER_ERROR, "An error has occurred."),
    };
    json(StatusCode::OK, &json!({"IsSuccessful": is_successful, "Token": token, "ErrorMessage": error}))
}

/// As the service's Web API says what is wrong with a request.
pub(crate) fn message(status: StatusCode, text: &str) -> Response<Body> {
    json(status, &json!({"Message": text}))
}
