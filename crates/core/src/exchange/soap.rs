//! The SOAP form of the exchange, without I/O: a request to an envelope, an envelope to an answer.
//!
//! SOAP 1.1, document/literal, as SuperOffice's WCF service speaks it. Names count by their namespaces and never by their
//! prefixes; what may stand beside what is known is passed over, and what is there twice is refused.

mod envelope;
mod fault;
mod request;
mod xml;

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

pub use fault::SoapFault;
pub(crate) use request::body;

use crate::error::{Error, ErrorKind};
use crate::exchange::message::{ServiceAnswer, unreadable};
use crate::http::Answer;
use crate::jwt::validator::saml_refused;
use envelope::{Content, Problem};

/// The service's namespace.
const SERVICE: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1";
const ACTION: &str =
    "\"http://www.superoffice.com/superid/partnersystemuser/0.1/IPartnerSystemUserService/Authenticate\"";
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Not spoken here, but an answer in it may hold a fault that says why.
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Success and refusal come with 200, faults with 500, and with 400 where they are in SOAP 1.2.
pub(crate) const STATUSES: &[StatusCode] =
    &[StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_REQUEST];

pub(crate) fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8")),
        (ACCEPT, HeaderValue::from_static("text/xml")),
        (HeaderName::from_static("soapaction"), HeaderValue::from_static(ACTION)),
    ])
}

/// Reads an answer under one of [`STATUSES`]. A fault, from which `secrets` are taken out, is an error.
pub(crate) fn decode(answer: &Answer, secrets: &[&str]) -> Result<ServiceAnswer, Error> {
    let content = read(answer).map_err(|problem| unreadable(answer, "SOAP", problem))?;
    match content {
        Content::Fault(fault) => Err(failed(fault.cleaned(secrets), answer.status)),
        Content::Answer(read) if answer.status == StatusCode::OK => Ok(read),
        Content::Saml if answer.status == StatusCode::OK => Err(saml_refused()),
        _ => Err(unreadable(answer, "SOAP", "no fault comes with this status")),
    }
}

fn read(answer: &Answer) -> Result<Content, Problem> {
    if answer.body.is_empty() {
        return Err(Problem::Empty);
    }
    check_type(answer.content_type.as_deref())?;
    envelope::read(&xml::parse(&answer.body)?)
}

/// An error page of a proxy is known by its type, before anything of it is read.
fn check_type(content_type: Option<&str>) -> Result<(), Problem> {
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_ascii_lowercase())
    });
    match (kind.as_str(), charset.as_deref()) {
        ("text/html" | "application/xhtml+xml", _) => Err(Problem::Html),
        ("text/xml" | "application/soap+xml", None | Some("utf-8" | "utf-16")) => Ok(()),
        ("text/xml" | "application/soap+xml", Some(_)) => Err(Problem::Charset),
        _ => Err(Problem::ContentType),
    }
}

fn failed(fault: SoapFault, status: StatusCode) -> Error {
    let message = format!(
        "SuperOffice's service answered with a SOAP fault (HTTP {}); {}",
        status.as_u16(),
        fault.cure()
    );
    Error::new(ErrorKind::Protocol, message).with_source(fault)
}

#[cfg(test)]
mod tests;
