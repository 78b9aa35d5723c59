//! The two forms of the exchange: which one a request came by, and how each is read and answered.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};

use crate::login::Request;
use crate::{rest, soap};

/// The form that an exchange is spoken in.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Codec {
    Rest,
    Soap,
}

/// The answer to a request that is turned away.
pub(crate) type Rejection = Box<Response<Body>>;

/// What the service says to an exchange.
pub(crate) enum Reply<'a> {
    Success(Option<&'a str>),
    Refusal(&'a str),
    /// It broke down over it.
    Internal,
}

impl Codec {
    /// Refuses a request by its headers, before its body is read.
    pub(crate) fn check(self, headers: &HeaderMap) -> Result<(), Rejection> {
        match self {
            Self::Rest => rest::check(headers),
            Self::Soap => soap::check(headers),
        }
    }

    /// Reads a request's body, or answers what is wrong with it, without repeating it.
    pub(crate) fn decode(self, body: &[u8], host: String) -> Result<Request, Rejection> {
        match self {
            Self::Rest => rest::decode(body, host),
            Self::Soap => soap::decode(body, host),
        }
    }

    pub(crate) fn encode(self, reply: &Reply<'_>) -> Response<Body> {
        match self {
            Self::Rest => rest::encode(reply),
            Self::Soap => soap::encode(reply),
        }
    }

    /// Turns a request away that never got as far as the service.
    pub(crate) fn rejected(self, status: StatusCode, message: &str) -> Response<Body> {
        match self {
            Self::Rest => rest::message(status, message),
            // WCF says nothing then.
            Self::Soap => crate::respond::plain(status, "text/plain", Body::empty()),
        }
    }
}
