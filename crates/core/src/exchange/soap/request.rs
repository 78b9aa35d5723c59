//! The envelope that goes out.

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::{BytesDecl, BytesText, Event};
use reqwest::Body;
use zeroize::Zeroizing;

use super::{SERVICE, SOAP_11};
use crate::error::{Error, ErrorKind};
use crate::exchange::message::ExchangeRequest;

/// The envelope, in memory that is wiped once it is sent.
pub(crate) fn body(request: &ExchangeRequest<'_>) -> Result<Body, Error> {
    let mut xml = Zeroizing::new(Vec::with_capacity(request.max_size(LONGEST_ESCAPE)));
    write(&mut xml, request)
        .map_err(|error| Error::new(ErrorKind::Bug, "the request cannot be written").with_source(error))?;
    Ok(Body::from(bytes::Bytes::from_owner(xml)))
}

fn write(xml: &mut Vec<u8>, request: &ExchangeRequest<'_>) -> io::Result<()> {
    let mut writer = Writer::new(xml);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    let envelope = writer.create_element("s:Envelope");
    let envelope = envelope.with_attributes([("xmlns:s", SOAP_11), ("xmlns:p", SERVICE)]);
    envelope.write_inner_content(|writer| {
        writer.create_element("s:Header").write_inner_content(|writer| {
            value(writer, "p:ApplicationToken", request.client_secret.expose())?;
            value(writer, "p:ContextIdentifier", request.context.as_str())
        })?;
        writer.create_element("s:Body").write_inner_content(|writer| {
            writer.create_element("p:AuthenticationRequest").write_inner_content(|writer| {
                value(writer, "p:SignedSystemToken", request.signed_system_token.expose())?;
                value(writer, "p:ReturnTokenType", "Jwt")
            })?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn value(writer: &mut Writer<&mut Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    let element = writer.create_element(name);
    element.write_inner_content(|writer| {
        runs(text).try_for_each(|run| writer.write_event(Event::Text(BytesText::from_escaped(run))))
    })?;
    Ok(())
}

/// The text in runs, the special characters escaped: each by itself, so that no copy of a secret is made.
fn runs(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split_inclusive(SPECIAL).flat_map(|run| {
        let plain = run.trim_end_matches(SPECIAL);
        [Cow::Borrowed(plain), escape(&run[plain.len()..])]
    })
}

const SPECIAL: [char; 5] = ['&', '<', '>', '"', '\''];
/// A character that XML escapes, `&quot;`, in bytes.
const LONGEST_ESCAPE: usize = 6;
