//! What an envelope holds: the service's answer, or a fault.

use thiserror::Error;

use super::fault::SoapFault;
use super::xml::{
    Element, MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_NAMESPACE_SIZE, MAX_NAMESPACES, MAX_TAG_SIZE,
    is_white_space,
};
use super::{SERVICE, SOAP_11, SOAP_12};
use crate::exchange::message::ServiceAnswer;

/// What an envelope holds.
pub(super) enum Content {
    Answer(ServiceAnswer),
    Fault(SoapFault),
    /// A SAML assertion as XML, where the text of a JWT belongs.
    Saml,
}

/// Why bytes are no envelope that is known. None says anything of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Problem {
    #[error("it is empty")]
    Empty,
    #[error("it is an HTML page")]
    Html,
    #[error("its type is neither text/xml nor application/soap+xml")]
    ContentType,
    #[error("its character set is neither UTF-8 nor UTF-16")]
    Charset,
    #[error("it is not in the encoding that it claims, which must be UTF-8 or UTF-16 with a byte order mark")]
    Encoding,
    #[error("it is no well-formed XML")]
    NotWellFormed,
    #[error("it has a document type declaration, which SOAP forbids")]
    DocumentType,
    #[error("it has a processing instruction, which SOAP forbids")]
    ProcessingInstruction,
    #[error("it has an entity other than the five of XML")]
    Entity,
    #[error("it has a namespace prefix that is not declared")]
    UndeclaredPrefix,
    #[error("its elements nest deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("it has more than {MAX_ELEMENTS} elements")]
    TooManyElements,
    #[error("it has a tag of more than {MAX_TAG_SIZE} bytes")]
    TagTooLong,
    #[error("it has an element with more than {MAX_ATTRIBUTES} attributes")]
    TooManyAttributes,
    #[error("it declares more than {MAX_NAMESPACES} namespaces around an element")]
    TooManyNamespaces,
    #[error("it declares a namespace of more than {MAX_NAMESPACE_SIZE} bytes")]
    NamespaceTooLong,
    #[error("it declares a namespace with a reference or a line break in its name")]
    NamespaceName,
    #[error("its root is no SOAP envelope")]
    NoEnvelope,
    #[error("it is in SOAP 1.2, and no fault")]
    Soap12,
    #[error("it has a header that must be understood and is not known")]
    MustUnderstand,
    #[error("its envelope has no body, or something beside header and body")]
    NoBody,
    #[error("its body holds neither an AuthenticationResponse nor a fault alone")]
    BodyContent,
    #[error("an element is there twice")]
    Repeated,
    #[error("IsSuccessful is missing, or neither true nor false")]
    IsSuccessful,
    #[error("there is an element where a text belongs, a text where elements belong, or a nil that is none")]
    Structure,
}

pub(super) fn read(root: &Element) -> Result<Content, Problem> {
    let soap = match root {
        _ if root.is(SOAP_11, "Envelope") => SOAP_11,
        _ if root.is(SOAP_12, "Envelope") => SOAP_12,
        _ => return Err(Problem::NoEnvelope),
    };
    let content = body_content(root, soap)?;
    match soap {
        _ if content.is(soap, "Fault") => Ok(Content::Fault(SoapFault::read(content, soap)?)),
        SOAP_12 => Err(Problem::Soap12),
        _ if content.is(SERVICE, "AuthenticationResponse") => response(content),
        _ => Err(Problem::BodyContent),
    }
}

/// The one element in the body.
fn body_content<'a>(envelope: &'a Element, soap: &str) -> Result<&'a Element, Problem> {
    let header = envelope.only(soap, "Header")?;
    let body = envelope.only(soap, "Body")?.ok_or(Problem::NoBody)?;
    if envelope.children.len() > 1 + usize::from(header.is_some()) {
        return Err(Problem::NoBody);
    }
    let blocks = header.iter().flat_map(|header| &header.children);
    if blocks.into_iter().any(|block| is_mandatory(block, soap)) {
        return Err(Problem::MustUnderstand);
    }
    for element in [envelope, body] {
        require_no_text(element)?;
    }
    match body.children.as_slice() {
        [content] => Ok(content),
        _ => Err(Problem::BodyContent),
    }
}

fn is_mandatory(block: &Element, soap: &str) -> bool {
    block.attribute(soap, "mustUnderstand").is_some_and(|value| matches!(value.trim(), "1" | "true"))
}

fn response(response: &Element) -> Result<Content, Problem> {
    require_no_text(response)?;
    let is_successful = response.only(SERVICE, "IsSuccessful")?.ok_or(Problem::IsSuccessful)?;
    let is_successful = text(is_successful)?.as_deref().and_then(boolean).ok_or(Problem::IsSuccessful)?;
    let token = response.only(SERVICE, "Token")?;
    if is_successful && token.is_some_and(|token| token.children.iter().any(is_saml)) {
        return Ok(Content::Saml);
    }
    let error_message = response.only(SERVICE, "ErrorMessage")?;
    Ok(Content::Answer(ServiceAnswer {
        is_successful,
        token: token.map(text).transpose()?.flatten(),
        error_message: error_message.map(text).transpose()?.flatten(),
    }))
}

fn is_saml(element: &Element) -> bool {
    element.namespace().is_some_and(|namespace| namespace.starts_with(SAML))
}

/// The text of an element without elements; none if it is nil.
fn text(element: &Element) -> Result<Option<String>, Problem> {
    let is_nil = element.is_nil();
    match element.text() {
        _ if !element.children.is_empty() => Err(Problem::Structure),
        "" if is_nil => Ok(None),
        _ if is_nil => Err(Problem::Structure),
        text => Ok(Some(text.to_owned())),
    }
}

/// `xs:boolean` in each of its spellings.
fn boolean(text: &str) -> Option<bool> {
    match text.trim_matches(is_white_space) {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn require_no_text(element: &Element) -> Result<(), Problem> {
    if element.text().chars().all(is_white_space) { Ok(()) } else { Err(Problem::Structure) }
}

/// How the namespaces of all versions of SAML begin.
const SAML: &str = "urn:oasis:names:tc:SAML:";
