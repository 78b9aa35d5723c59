//! A door for fuzz targets to what is private; there under `--cfg fuzzing` alone.

use http::StatusCode;

use crate::exchange::soap;
use crate::http::Answer;

/// Reads the body of an answer over SOAP, as it comes with this status: whether it is one of success, its token, and its
/// error message; nothing when it is none.
#[must_use]
pub fn read_soap_answer(status: u16, body: &[u8]) -> Option<(bool, Option<String>, Option<String>)> {
    let mut answer = Answer::of_body(body, Some("text/xml; charset=utf-8"));
    answer.status = StatusCode::from_u16(status).ok()?;
    let read = soap::decode(&answer, &["hunter2"]).ok()?;
    Some((read.is_successful, read.token, read.error_message))
}
