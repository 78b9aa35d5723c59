//! The exchange in either form, with the faults that change what it answers.

use std::error::Error as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;

use super::{Answer, host, of};
use crate::codec::{Codec, Rejection, Reply};
use crate::faults::Fault;
use crate::log::Outcome;
use crate::login;
use crate::shared::Shared;

/// The largest request body, in bytes.
const MAX_BODY: usize = 64 * 1024;
const SAML: &str = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"></saml:Assertion>";

/// Reads an exchange that came by `codec`, or says what is wrong with it.
pub(super) async fn read(codec: Codec, headers: &HeaderMap, body: Body) -> Result<login::Request, Rejection> {
    codec.check(headers)?;
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|error| {
        let is_too_large = error.source().is_some_and(|cause| cause.is::<LengthLimitError>());
        match is_too_large {
            true => codec.rejected(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            false => codec.rejected(StatusCode::BAD_REQUEST, "the body broke off"),
        }
    })?;
    codec.decode(&bytes, host(headers))
}

/// Answers an exchange that came by `codec`, once it was read.
pub(super) async fn exchange(
    shared: &Arc<Shared>,
    codec: Codec,
    asked: Option<Result<login::Request, Rejection>>,
    fault: Option<&Fault>,
) -> Answer {
    let request = match asked {
        Some(Ok(request)) => request,
        Some(Err(response)) => return Answer::of(*response),
        None => return Answer::of(codec.rejected(StatusCode::BAD_REQUEST, "there is no body")),
    };
    let context = request.context.clone();
    let answer = decide(shared, codec, request, fault).await;
    of(shared, answer, &context)
}

async fn decide(
    shared: &Arc<Shared>,
    codec: Codec,
    request: login::Request,
    fault: Option<&Fault>,
) -> Answer {
    let answer = |reply, outcome| Answer { outcome, ..Answer::of(codec.encode(&reply)) };
    match fault {
        Some(Fault::Refusal { code, text }) => {
            let text = text.clone().unwrap_or_else(|| code.text());
            answer(Reply::Refusal(&text), Outcome::Refused(*code))
        }
        Some(Fault::WithoutToken) => answer(Reply::Success(None), Outcome::Faulty),
        Some(Fault::SamlToken) => answer(Reply::Success(Some(SAML)), Outcome::Faulty),
        Some(Fault::InternalError) => answer(Reply::Internal, Outcome::Faulty),
        _ => issue(shared, codec, request, fault).await,
    }
}

async fn issue(shared: &Arc<Shared>, codec: Codec, request: login::Request, fault: Option<&Fault>) -> Answer {
    let defect = match fault {
        Some(Fault::Jwt { defect }) => Some(*defect),
        _ => None,
    };
    let service = Arc::clone(shared);
    let decision = tokio::task::spawn_blocking(move || login::authenticate(&service, &request, defect)).await;
    let (response, outcome) = match decision {
        Ok(Ok(token)) => {
            let outcome = if defect.is_some() { Outcome::Faulty } else { Outcome::Issued };
            (codec.encode(&Reply::Success(Some(&token))), outcome)
        }
        Ok(Err(login::Failure::Refused(refusal))) => {
            (codec.encode(&Reply::Refusal(&refusal.text())), Outcome::Refused(refusal))
        }
        _ => (codec.encode(&Reply::Internal), Outcome::Rejected),
    };
    Answer { outcome, ..Answer::of(response) }
}
