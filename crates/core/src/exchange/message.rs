//! What an exchange says in both directions, whatever the transport.

use std::fmt;

use crate::client_secret::ClientSecret;
use crate::error::{Error, ErrorKind};
use crate::http::Answer;
use crate::jwt::UnvalidatedJwt;
use crate::refusal::{Refusal, escape};
use crate::secret::SecretText;
use crate::system_token::SystemUserToken;
use crate::tenant::ContextIdentifier;

/// What goes out.
pub(crate) struct ExchangeRequest<'a> {
    pub(crate) system_user_token: &'a SystemUserToken,
    pub(crate) signed_system_token: &'a SecretText,
    pub(crate) client_secret: &'a ClientSecret,
    pub(crate) context: &'a ContextIdentifier,
}

impl ExchangeRequest<'_> {
    /// What no message may repeat; the signed form first, since it holds the token.
    pub(crate) fn secrets(&self) -> [&str; 3] {
        [self.signed_system_token.expose(), self.system_user_token.expose(), self.client_secret.expose()]
    }

    /// Room for the request in a form where a character takes up to `per_character` bytes, so that growing leaves no copies.
    pub(crate) fn max_size(&self, per_character: usize) -> usize {
        let secrets = self.signed_system_token.expose().len() + self.client_secret.expose().len();
        per_character * secrets + FIXED_SIZE
    }
}

/// What the service said, as each transport's codec reads it.
pub(crate) struct ServiceAnswer {
    pub(crate) is_successful: bool,
    pub(crate) token: Option<String>,
    pub(crate) error_message: Option<String>,
}

/// What came of the exchange.
#[derive(Debug)]
pub(crate) enum Outcome {
    Token(UnvalidatedJwt),
    Refused(Refusal),
}

impl ServiceAnswer {
    pub(crate) fn outcome(self, request: &ExchangeRequest<'_>) -> Result<Outcome, Error> {
        match self {
            Self { is_successful: false, error_message, .. } => Ok(Outcome::Refused(Refusal::from_message(
                &error_message.unwrap_or_default(),
                &request.secrets(),
            ))),
            Self { token: Some(token), .. } if !token.is_empty() => {
                Ok(Outcome::Token(UnvalidatedJwt::new(token)))
            }
            _ => Err(Error::new(
                ErrorKind::Protocol,
                "the exchange's answer says that it succeeded but holds no token; tell SuperOffice's support",
            )),
        }
    }
}

/// The error for an answer that is not in the form that is known. Nothing of it is shown but its type and size.
pub(crate) fn unreadable(answer: &Answer, form: &str, why: impl fmt::Display) -> Error {
    let kind = escape(answer.content_type.as_deref().unwrap_or("no content type"), MAX_SHOWN);
    let message = format!(
        "the exchange's answer is not the {form} that is known (HTTP {}, {kind}, {} bytes; {why}); check the environment and any \
         proxy between",
        answer.status.as_u16(),
        answer.body.len()
    );
    Error::new(ErrorKind::Protocol, message)
}

/// Names, punctuation, context identifier and token type, generously.
const FIXED_SIZE: usize = 1024;
/// How much of a foreign value an error shows, in characters.
const MAX_SHOWN: usize = 80;
