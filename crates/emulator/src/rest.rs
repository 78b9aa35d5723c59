//! The REST codec of the exchange: JSON in, JSON out.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::login::Request;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    signed_system_token: String,
    application_token: String,
    context_identifier: String,
    return_token_type: String,
}

/// Reads a request body; the error says what is wrong without repeating the body.
pub(crate) fn decode(body: &[u8], host: String) -> Result<Request, &'static str> {
    let body: Body = serde_json::from_slice(body).map_err(|_| "the body is not the JSON object asked for")?;
    if !body.return_token_type.eq_ignore_ascii_case("JWT") {
        return Err("the ReturnTokenType is not JWT");
    }
    Ok(Request {
        signed_system_token: body.signed_system_token,
        application_token: body.application_token,
        context: body.context_identifier,
        host,
    })
}

pub(crate) fn success(token: Option<&str>) -> Value {
    json!({"IsSuccessful": true, "Token": token, "ErrorMessage": null})
}

pub(crate) fn refusal(text: &str) -> Value {
    json!({"IsSuccessful": false, "Token": null, "ErrorMessage": text})
}
