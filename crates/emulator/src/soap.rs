//! The SOAP codec of the exchange: envelopes in, envelopes and faults out, as WCF's `BasicHttpBinding` has them.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use roxmltree::{Document, Node};

use crate::codec::{Rejection, Reply};
use crate::login::Request;
use crate::respond::plain;

const SERVICE: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1";
const ACTION: &str =
    "http://www.superoffice.com/superid/partnersystemuser/0.1/IPartnerSystemUserService/Authenticate";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "text/xml; charset=utf-8";

/// Where WCF's own fault codes are from.
const ADDRESSING: &str = "http://schemas.microsoft.com/ws/2005/05/addressing/none";
const DISPATCHER: &str = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher";

/// The service's description, for clients that reach it at `location`.
pub(crate) fn wsdl(location: &str) -> Response<Body> {
    let document = include_str!("soap/PartnerSystemUserService.wsdl");
    plain(StatusCode::OK, XML, document.replace("LOCATION", &escaped(location)))
}

/// What a browser is shown.
pub(crate) fn page(location: &str) -> Response<Body> {
    let link = escaped(&format!("{location}?wsdl"));
    let page = format!(
        "<!DOCTYPE html><html><head><title>PartnerSystemUserService Service</title></head>\
         <body><p>The service's description: <a href=\"{link}\">{link}</a></p></body></html>"
    );
    plain(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// The type has to be SOAP 1.1's, and the action the one that there is.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Rejection> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE.as_str()).split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("text/xml") {
        return Err(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "text/plain", Body::empty()).into());
    }
    let action = text("soapaction").trim().trim_matches('"');
    if action != ACTION {
        return Err(fault(
            &Code::Qualified(ADDRESSING, "ActionNotSupported"),
            "The message's action is none that this service knows; see its WSDL.",
        )
        .into());
    }
    Ok(())
}

/// Reads a request's envelope.
pub(crate) fn decode(body: &[u8], host: String) -> Result<Request, Rejection> {
    let text = std::str::from_utf8(body).ok().map(|text| text.trim_start_matches('\u{feff}'));
    // WCF says nothing of XML that it cannot read, document type declarations among it.
    let malformed = || Box::new(plain(StatusCode::BAD_REQUEST, "text/plain", Body::empty()));
    let document = Document::parse(text.ok_or_else(malformed)?).map_err(|_| malformed())?;
    let envelope = document.root_element();
    if !envelope.has_tag_name((ENVELOPE, "Envelope")) {
        return Err(fault(&Code::Soap("VersionMismatch"), "The envelope is none of SOAP 1.1.").into());
    }
    let header = child(envelope, (ENVELOPE, "Header"));
    let blocks = header.iter().flat_map(Node::children).filter(Node::is_element);
    for block in blocks {
        let is_known =
            ["ApplicationToken", "ContextIdentifier"].iter().any(|name| block.has_tag_name((SERVICE, *name)));
        if !is_known && block.attribute((ENVELOPE, "mustUnderstand")) == Some("1") {
            return Err(
                fault(&Code::Soap("MustUnderstand"), "A header that must be understood is not.").into()
            );
        }
    }
    let in_header =
        |name| header.and_then(|header| child(header, (SERVICE, name))).map(text_of).unwrap_or_default();
    let signed_system_token = signed_system_token(envelope)
        .map_err(|message| Box::new(fault(&Code::Qualified(DISPATCHER, "DeserializationFailed"), message)))?;
    Ok(Request {
        signed_system_token,
        application_token: in_header("ApplicationToken"),
        context: in_header("ContextIdentifier"),
        host,
    })
}

/// The body has to be the documented one, its elements in their order; WCF reads one that is out of order as missing.
fn signed_system_token(envelope: Node<'_, '_>) -> Result<String, &'static str> {
    let body = child(envelope, (ENVELOPE, "Body")).ok_or("There is no body.")?;
    let request =
        body.first_element_child().filter(|node| node.has_tag_name((SERVICE, "AuthenticationRequest")));
    let request = request.ok_or("The body is no AuthenticationRequest.")?;
    let mut values = request.children().filter(Node::is_element);
    let token = values.next().filter(|node| node.has_tag_name((SERVICE, "SignedSystemToken")));
    let kind = values.next().filter(|node| node.has_tag_name((SERVICE, "ReturnTokenType")));
    match kind.map(text_of).as_deref() {
        Some("Jwt") => token.map(text_of).ok_or("SignedSystemToken is not where it belongs."),
        Some("Saml") => Err("This stand-in makes no SAML."),
        _ => Err("ReturnTokenType is neither Jwt nor Saml, or not where it belongs."),
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: (&str, &str)) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// All the text in an element, comments left out.
fn text_of(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

pub(crate) fn encode(reply: &Reply<'_>) -> Response<Body> {
    let (is_successful, token, message) = match reply {
        Reply::Success(token) => ("true", *token, None),
        Reply::Refusal(text) => ("false", None, Some(*text)),
        Reply::Internal => {
            return fault(
                &Code::Qualified(DISPATCHER, "InternalServiceFault"),
                "The server was unable to process the request due to an internal error.",
            );
        }
    };
    envelope(
        StatusCode::OK,
        &format!(
            "<AuthenticationResponse xmlns=\"{SERVICE}\"><IsSuccessful>{is_successful}</IsSuccessful>{}{}</AuthenticationResponse>",
            nillable("Token", token),
            nillable("ErrorMessage", message)
        ),
    )
}

fn nillable(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("<{name}>{}</{name}>", escaped(value)),
        None => format!("<{name} i:nil=\"true\" xmlns:i=\"{SCHEMA_INSTANCE}\"/>"),
    }
}

/// What went wrong: one of SOAP's own codes, or one of WCF's in its namespace.
enum Code {
    Soap(&'static str),
    Qualified(&'static str, &'static str),
}

fn fault(code: &Code, reason: &str) -> Response<Body> {
    let code = match code {
        Code::Soap(name) => format!("<faultcode>s:{name}</faultcode>"),
        Code::Qualified(namespace, name) => {
            format!("<faultcode xmlns:a=\"{namespace}\">a:{name}</faultcode>")
        }
    };
    let reason = format!("<faultstring xml:lang=\"en-US\">{}</faultstring>", escaped(reason));
    envelope(StatusCode::INTERNAL_SERVER_ERROR, &format!("<s:Fault>{code}{reason}</s:Fault>"))
}

fn envelope(status: StatusCode, content: &str) -> Response<Body> {
    let envelope = format!("<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Body>{content}</s:Body></s:Envelope>");
    plain(status, XML, envelope)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\r', "&#xD;")
}
