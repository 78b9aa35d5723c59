//! The REST form of the exchange, without I/O: a request to bytes, bytes to an outcome.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::Body;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::client_secret::ClientSecret;
use crate::error::{Error, ErrorKind};
use crate::jwt::UnvalidatedJwt;
use crate::refusal::Refusal;
use crate::secret::SecretText;
use crate::system_token::SystemUserToken;
use crate::tenant::ContextIdentifier;

/// What goes out, whatever the transport.
pub(crate) struct ExchangeRequest<'a> {
    pub(crate) system_user_token: &'a SystemUserToken,
    pub(crate) signed_system_token: &'a SecretText,
    pub(crate) client_secret: &'a ClientSecret,
    pub(crate) context: &'a ContextIdentifier,
}

/// What came back, whatever the transport.
#[derive(Debug)]
pub(crate) enum Outcome {
    Token(UnvalidatedJwt),
    Refused(Refusal),
}

impl ExchangeRequest<'_> {
    /// The JSON, in memory that is wiped once it is sent.
    pub(crate) fn body(&self) -> Result<Body, Error> {
        let wire = WireRequest {
            signed_system_token: self.signed_system_token.expose(),
            application_token: self.client_secret.expose(),
            context_identifier: self.context.as_str(),
            return_token_type: "JWT",
        };
        // Sized for the worst case, so that growing leaves no copies: an escape takes six bytes.
        let size = 6 * (wire.signed_system_token.len() + wire.application_token.len()) + FIXED_SIZE;
        let mut json = Zeroizing::new(Vec::with_capacity(size));
        serde_json::to_writer(&mut *json, &wire).map_err(|error| {
            Error::new(ErrorKind::Bug, "the request cannot be written").with_source(error)
        })?;
        Ok(Body::from(bytes::Bytes::from_owner(json)))
    }
}

pub(crate) fn headers() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(CONTENT_TYPE, json.clone()), (ACCEPT, json)])
}

/// Reads the body of an answer of status 200.
pub(crate) fn decode(
    body: &[u8],
    content_type: Option<&str>,
    request: &ExchangeRequest<'_>,
) -> Result<Outcome, Error> {
    let answer: WireAnswer = serde_json::from_slice(body).map_err(|error| {
        // serde's own words could repeat a part of the answer; where it stopped says enough.
        let place = format!("line {}, column {}", error.line(), error.column());
        let kind = crate::refusal::escape(content_type.unwrap_or("no content type"), MAX_SHOWN);
        let message = format!(
            "the exchange's answer is not the JSON that is known ({kind}, {} bytes; {place}); \
             check the environment and any proxy between",
            body.len()
        );
        Error::new(ErrorKind::Protocol, message)
    })?;
    match answer {
        WireAnswer { is_successful: false, error_message, .. } => {
            // The signed form first, since it holds the token.
            let secrets = [
                request.signed_system_token.expose(),
                request.system_user_token.expose(),
                request.client_secret.expose(),
            ];
            Ok(Outcome::Refused(Refusal::from_message(&error_message.unwrap_or_default(), &secrets)))
        }
        WireAnswer { token: Some(token), .. } if !token.is_empty() => {
            Ok(Outcome::Token(UnvalidatedJwt::new(token)))
        }
        _ => Err(Error::new(
            ErrorKind::Protocol,
            "the exchange's answer says that it succeeded but holds no token; tell SuperOffice's support",
        )),
    }
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

/// Member names, punctuation, context identifier and token type, generously.
const FIXED_SIZE: usize = 512;
/// How much of a foreign value an error shows, in characters.
const MAX_SHOWN: usize = 80;

#[cfg(test)]
mod tests;
