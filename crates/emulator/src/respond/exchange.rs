//! The exchange in either form, with the faults that change what it answers.

use std::error::Error as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use http_body_util::LengthLimitError;

use super::{Answer, of};
use crate::codec::{Codec, Reply};
use crate::faults::Fault;
use crate::log::Outcome;
use crate::login;
use crate::shared::Shared;

/// The largest request body, in bytes.
const MAX_BODY: usize = 64 * 1024;
const SAML: &str = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"></saml:Assertion>";

/// Answers an exchange that came by `codec`.
pub(super) async fn exchange(
    shared: &Arc<Shared>,
    codec: Codec,
    request: Request<Body>,
    host: String,
    fault: Option<&Fault>,
) -> Answer {
    if let Err(response) = codec.check(request.headers()) {
        return Answer::of(*response);
    }
    let bytes = match to_bytes(request.into_body(), MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(error) if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) => {
            return Answer::of(codec.rejected(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
        }
        Err(_) => return Answer::of(codec.rejected(StatusCode::BAD_REQUEST, "the body broke off")),
    };
    let request = match codec.decode(&bytes, host) {
        Ok(request) => request,
        Err(response) => return Answer::of(*response),
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
