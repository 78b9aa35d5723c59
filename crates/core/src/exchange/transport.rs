//! The transports: which address, which form, which answers are known; all else is the same for both.

use std::fmt;

use http::{HeaderMap, StatusCode};
use reqwest::Body;

use crate::environment::Environment;
use crate::error::Error;
use crate::exchange::message::{ExchangeRequest, Outcome};
use crate::exchange::rest;
#[cfg(feature = "soap")]
use crate::exchange::soap;
use crate::http::Answer;

/// How the exchange is spoken. Tickets, errors and trust rules are the same for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Transport {
    /// JSON over HTTP.
    #[default]
    Rest,
    /// SOAP 1.1, for networks that let nothing else through.
    #[cfg(feature = "soap")]
    Soap,
}

impl Transport {
    /// Each of them.
    pub const ALL: &[Self] = &[
        Self::Rest,
        #[cfg(feature = "soap")]
        Self::Soap,
    ];

    pub(crate) fn url(self, environment: &Environment) -> String {
        match self {
            Self::Rest => environment.rest_exchange_url(),
            #[cfg(feature = "soap")]
            Self::Soap => environment.soap_exchange_url(),
        }
    }

    pub(crate) fn headers(self) -> HeaderMap {
        match self {
            Self::Rest => rest::headers(),
            #[cfg(feature = "soap")]
            Self::Soap => soap::headers(),
        }
    }

    /// The request, in memory that is wiped once it is sent.
    pub(crate) fn body(self, request: &ExchangeRequest<'_>) -> Result<Body, Error> {
        match self {
            Self::Rest => rest::body(request),
            #[cfg(feature = "soap")]
            Self::Soap => soap::body(request),
        }
    }

    /// The statuses under which an answer is one for [`decode`](Self::decode).
    pub(crate) fn statuses(self) -> &'static [StatusCode] {
        match self {
            Self::Rest => &[StatusCode::OK],
            #[cfg(feature = "soap")]
            Self::Soap => soap::STATUSES,
        }
    }

    pub(crate) fn decode(self, answer: &Answer, request: &ExchangeRequest<'_>) -> Result<Outcome, Error> {
        let answer = match self {
            Self::Rest => rest::decode(answer)?,
            #[cfg(feature = "soap")]
            Self::Soap => soap::decode(answer, &request.secrets())?,
        };
        answer.outcome(request)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rest => "REST",
            #[cfg(feature = "soap")]
            Self::Soap => "SOAP",
        })
    }
}
