//! The exchange over REST, with the faults that change what it answers.

use std::error::Error as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use http_body_util::LengthLimitError;

use super::{Answer, of};
use crate::faults::Fault;
use crate::log::Outcome;
use crate::shared::Shared;
use crate::{login, rest};

/// The largest request body, in bytes.
const MAX_BODY: usize = 64 * 1024;
const SAML: &str = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"></saml:Assertion>";

/// Answers an exchange that came over REST.
pub(super) async fn exchange(
    shared: &Arc<Shared>,
    request: Request<Body>,
    host: String,
    fault: Option<&Fault>,
) -> Answer {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Answer::rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json");
    }
    let bytes = match to_bytes(request.into_body(), MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(error) if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) => {
            return Answer::rejected(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        }
        Err(_) => return Answer::rejected(StatusCode::BAD_REQUEST, "the body broke off"),
    };
    let request = match rest::decode(&bytes, host) {
        Ok(request) => request,
        Err(message) => return Answer::rejected(StatusCode::BAD_REQUEST, message),
    };
    let context = request.context.clone();
    let answer = decide(shared, request, fault).await;
    of(shared, answer, &context)
}

async fn decide(shared: &Arc<Shared>, request: login::Request, fault: Option<&Fault>) -> Answer {
    let mut answer = match fault {
        Some(Fault::Refusal { code, text }) => {
            let text = text.clone().unwrap_or_else(|| code.text());
            let mut answer = Answer::new(StatusCode::OK, &rest::refusal(&text));
            answer.outcome = Outcome::Refused(*code);
            return answer;
        }
        Some(Fault::WithoutToken) => Answer::new(StatusCode::OK, &rest::success(None)),
        Some(Fault::SamlToken) => Answer::new(StatusCode::OK, &rest::success(Some(SAML))),
        _ => return issue(shared, request, fault).await,
    };
    answer.outcome = Outcome::Faulty;
    answer
}

async fn issue(shared: &Arc<Shared>, request: login::Request, fault: Option<&Fault>) -> Answer {
    let defect = match fault {
        Some(Fault::Jwt { defect }) => Some(*defect),
        _ => None,
    };
    let service = Arc::clone(shared);
    let decision = tokio::task::spawn_blocking(move || login::authenticate(&service, &request, defect)).await;
    let (body, outcome) = match decision {
        Ok(Ok(token)) => {
            let outcome = if defect.is_some() { Outcome::Faulty } else { Outcome::Issued };
            (rest::success(Some(&token)), outcome)
        }
        Ok(Err(login::Failure::Refused(refusal))) => {
            (rest::refusal(&refusal.text()), Outcome::Refused(refusal))
        }
        _ => return Answer::rejected(StatusCode::INTERNAL_SERVER_ERROR, "the token could not be made"),
    };
    let mut answer = Answer::new(StatusCode::OK, &body);
    answer.outcome = outcome;
    answer
}
