//! `RSAKeyValue` as .NET writes it and as SuperOffice hands it out: a byte order mark, a declaration, white
//! space inside the numbers and any order of the elements are all seen in the wild.

use base64ct::{Base64Unpadded, Encoding};
use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use zeroize::Zeroizing;

use super::Secret;
use crate::error::{KeyError, KeyProblem};
use crate::mistake::Mistake;
use crate::rsa_parts::RsaParts;

/// How deep elements may nest; `RSAKeyValue` itself sits at depth one, or a little deeper inside a `KeyInfo`.
pub const MAX_XML_DEPTH: usize = 8;

/// Reads the one `RSAKeyValue` of a document.
pub(super) fn parse(text: &str) -> Result<rsa::PrivateKey, KeyError> {
    let mut document = Document::default();
    let mut reader = NsReader::from_str(text);
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            // The library's error quotes names out of the file, so it is not linked.
            Err(_) => return Err(damaged("it is not well-formed")),
        };
        match event {
            Event::Start(start) => {
                let namespace = allowed_namespace(&reader, &start);
                document.start(start.local_name().as_ref(), namespace)?;
            }
            Event::Empty(start) => {
                let namespace = allowed_namespace(&reader, &start);
                document.start(start.local_name().as_ref(), namespace)?;
                document.end();
            }
            Event::End(_) => document.end(),
            Event::Text(part) => document.text(&part)?,
            Event::CData(part) => document.text(&part)?,
            Event::GeneralRef(reference) => document.reference(&reference)?,
            Event::DocType(_) => return Err(damaged("it has a document type declaration")),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    document.finish()
}

/// What has been read of the document so far.
#[derive(Default)]
struct Document {
    depth: usize,
    /// The depth of the open `RSAKeyValue`.
    key_depth: Option<usize>,
    keys: usize,
    /// The open number and its depth.
    number: Option<(usize, Part)>,
    numbers: [Option<Secret>; Part::COUNT],
}

/// The elements of `RSAKeyValue`, by their place in [`Document::numbers`].
#[derive(Clone, Copy)]
enum Part {
    Modulus,
    Exponent,
    P,
    Q,
    Dp,
    Dq,
    InverseQ,
    D,
}

impl Part {
    const COUNT: usize = 8;

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "Modulus" => Self::Modulus,
            "Exponent" => Self::Exponent,
            "P" => Self::P,
            "Q" => Self::Q,
            "DP" => Self::Dp,
            "DQ" => Self::Dq,
            "InverseQ" => Self::InverseQ,
            "D" => Self::D,
            _ => return None,
        })
    }
}

impl Document {
    fn start(&mut self, name: &str, namespace: AllowedNamespace) -> Result<(), KeyError> {
        self.depth += 1;
        if self.depth > MAX_XML_DEPTH {
            return Err(damaged("its elements nest too deep"));
        }
        if self.number.is_some() {
            return Err(damaged("there is an element inside a number"));
        }
        match self.key_depth {
            None if name == "RSAKeyValue" && namespace == AllowedNamespace::Yes => self.open_key(),
            None => Ok(()),
            Some(_) => self.open_number(Part::from_name(name).filter(|_| namespace == AllowedNamespace::Yes)),
        }
    }

    fn open_key(&mut self) -> Result<(), KeyError> {
        self.key_depth = Some(self.depth);
        self.keys += 1;
        if self.keys > 1 { Err(KeyProblem::SeveralKeys(self.keys).into()) } else { Ok(()) }
    }

    fn open_number(&mut self, part: Option<Part>) -> Result<(), KeyError> {
        let part = part.ok_or_else(|| damaged("it has an element that RSAKeyValue does not have"))?;
        match self.numbers.get_mut(part as usize) {
            Some(slot @ None) => *slot = Some(Zeroizing::new(Vec::with_capacity(MAX_NUMBER_CHARACTERS))),
            _ => return Err(damaged("it has an element twice")),
        }
        self.number = Some((self.depth, part));
        Ok(())
    }

    fn end(&mut self) {
        if self.number.is_some_and(|(depth, _)| depth == self.depth) {
            self.number = None;
        }
        if self.key_depth == Some(self.depth) {
            self.key_depth = None;
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn text(&mut self, text: &str) -> Result<(), KeyError> {
        let visible = || text.bytes().filter(|byte| !byte.is_ascii_whitespace());
        let number = self.number.and_then(|(_, part)| self.numbers.get_mut(part as usize)?.as_mut());
        match number {
            Some(number) if number.len() + visible().count() > MAX_NUMBER_CHARACTERS => {
                Err(damaged("a number is too long"))
            }
            Some(number) => {
                number.extend(visible());
                Ok(())
            }
            None if self.key_depth.is_some() && visible().next().is_some() => {
                Err(damaged("there is text between its elements"))
            }
            None => Ok(()),
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), KeyError> {
        let unknown = || damaged("it has an entity that XML does not define");
        match reference.resolve_char_ref().map_err(|_| unknown())? {
            Some(character) => self.text(character.encode_utf8(&mut [0; char::MAX_LEN_UTF8])),
            None => self.text(resolve_predefined_entity(reference).ok_or_else(unknown)?),
        }
    }

    fn finish(self) -> Result<rsa::PrivateKey, KeyError> {
        if self.keys == 0 {
            return Err(KeyProblem::NotRecognised.into());
        }
        if self.depth > 0 {
            return Err(damaged("it is cut off"));
        }
        let mut decoded: [Option<Secret>; Part::COUNT] = Default::default();
        for (slot, number) in decoded.iter_mut().zip(&self.numbers) {
            *slot = number.as_ref().map(|number| decode(number)).transpose()?;
        }
        into_key(&decoded)
    }
}

fn into_key(numbers: &[Option<Secret>; Part::COUNT]) -> Result<rsa::PrivateKey, KeyError> {
    let number = |part: Part| numbers.get(part as usize)?.as_ref().map(|number| number.as_slice());
    let private = [Part::D, Part::P, Part::Q, Part::Dp, Part::Dq, Part::InverseQ];
    if private.into_iter().all(|part| number(part).is_none()) && number(Part::Modulus).is_some() {
        return Err(Mistake::PublicKey.into());
    }
    RsaParts {
        modulus: number(Part::Modulus).ok_or_else(|| damaged("Modulus is missing"))?,
        public_exponent: number(Part::Exponent).ok_or_else(|| damaged("Exponent is missing"))?,
        private_exponent: number(Part::D).ok_or_else(|| damaged("D is missing"))?,
        p: number(Part::P),
        q: number(Part::Q),
        dp: number(Part::Dp),
        dq: number(Part::Dq),
        q_inverse: number(Part::InverseQ),
    }
    .into_key()
}

/// Padding is optional: some tools that rewrite XML lose it.
fn decode(base64: &[u8]) -> Result<Secret, KeyError> {
    let padding = base64.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = base64.get(..base64.len() - padding).unwrap_or_default();
    if digits.is_empty() {
        return Err(damaged("a number is empty"));
    }
    let mut bytes = Zeroizing::new(vec![0; digits.len()]);
    let length =
        Base64Unpadded::decode(digits, &mut bytes).map_err(|_| damaged("a number is not in Base64"))?.len();
    bytes.truncate(length);
    Ok(bytes)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AllowedNamespace {
    Yes,
    No,
}

fn allowed_namespace(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> AllowedNamespace {
    match reader.resolver().resolve_element(start.name()).0 {
        ResolveResult::Unbound | ResolveResult::Bound(Namespace(XML_SIGNATURE)) => AllowedNamespace::Yes,
        _ => AllowedNamespace::No,
    }
}

fn damaged(what: &'static str) -> KeyError {
    KeyProblem::DamagedXml(what).into()
}

const XML_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Twice what the modulus of a 4096-bit key needs, so that a key which is too large is called that.
const MAX_NUMBER_CHARACTERS: usize = 2048;
