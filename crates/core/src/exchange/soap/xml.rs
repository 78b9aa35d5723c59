//! XML to a small tree of elements: namespaces resolved, everything within limits, and nothing of XML that SOAP forbids.

mod lexis;

use std::borrow::Cow;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceError, NamespaceResolver, ResolveResult};
use quick_xml::{NsReader, XmlVersion};
use zeroize::Zeroizing;

pub(super) use lexis::is_white_space;
use lexis::{are_apart, is_qualified_name, is_xml_character};

use super::SCHEMA_INSTANCE;
use super::envelope::Problem;
use crate::secret::extend_wiping;

/// How deep elements may nest; those of the service go four deep, and a fault's details a few more.
pub(super) const MAX_DEPTH: usize = 32;
/// How many elements there may be; the service's answers have some ten.
pub(super) const MAX_ELEMENTS: usize = 512;
/// How long a tag may be with its attributes, in bytes.
pub(super) const MAX_TAG_SIZE: usize = 8 * 1024;
/// How many attributes an element may have, declarations of namespaces among them.
pub(super) const MAX_ATTRIBUTES: usize = 32;
/// How many namespaces may be declared around an element.
pub(super) const MAX_NAMESPACES: usize = 64;
/// How long a namespace's name may be, in bytes; each element and attribute in it has a copy.
pub(super) const MAX_NAMESPACE_SIZE: usize = 256;

const DECLARATION_NAME: &str = "xml";

/// An element with what is in it; comments are left out.
#[derive(Debug, Default)]
pub(super) struct Element {
    namespace: Option<String>,
    name: String,
    /// The attributes that have a namespace and are no declarations: namespace, name, value.
    attributes: Vec<(String, String, String)>,
    pub(super) children: Vec<Element>,
    /// The text directly in it, which may be a secret.
    text: Zeroizing<Vec<u8>>,
}

impl Element {
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace.as_deref() == Some(namespace) && self.name == name
    }

    /// Whether it is of this name and in no namespace, or in `namespace`.
    pub(super) fn is_local_or(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(super) fn attribute(&self, namespace: &str, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(own, local, _)| own == namespace && local == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// `xsi:nil`, in either spelling of true.
    pub(super) fn is_nil(&self) -> bool {
        self.attribute(SCHEMA_INSTANCE, "nil").is_some_and(|value| matches!(value.trim(), "true" | "1"))
    }

    pub(super) fn text(&self) -> &str {
        // It was put together of whole strings.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// How much its strings take, and those of what is in it, in bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        let attributes =
            self.attributes.iter().map(|(space, name, value)| space.len() + name.len() + value.len());
        let own = self.namespace.as_ref().map_or(0, String::len) + self.name.len() + self.text.len();
        own + attributes.sum::<usize>() + self.children.iter().map(Self::size).sum::<usize>()
    }

    /// The one child of this name, if there is one; two are refused, since two readers would read two things.
    pub(super) fn only(&self, namespace: &str, name: &str) -> Result<Option<&Self>, Problem> {
        let mut found = self.children.iter().filter(|child| child.is(namespace, name));
        let first = found.next();
        if found.next().is_some() { Err(Problem::Repeated) } else { Ok(first) }
    }
}

/// Reads a document: UTF-8, or UTF-16 with its byte order mark.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, Problem> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => document(&utf16(rest, u16::from_le_bytes)?, "utf-16"),
        [0xfe, 0xff, rest @ ..] => document(&utf16(rest, u16::from_be_bytes)?, "utf-16"),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => {
            document(std::str::from_utf8(rest).map_err(|_| Problem::Encoding)?, "utf-8")
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Zeroizing<String>, Problem> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    // Two bytes become three at most, so it never grows.
    let mut text = Zeroizing::new(String::with_capacity(3 * pairs.len()));
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        text.push(character.map_err(|_| Problem::Encoding)?);
    }
    if rest.is_empty() { Ok(text) } else { Err(Problem::Encoding) }
}

fn document(text: &str, encoding: &str) -> Result<Element, Problem> {
    // The library leaves that to its users.
    if !text.chars().all(is_xml_character) {
        return Err(Problem::NotWellFormed);
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    reader.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
    let (mut tree, mut is_first) = (Tree::default(), true);
    loop {
        match reader.read_event().map_err(problem)? {
            Event::Decl(declaration) if is_first => check_declaration(&declaration, encoding)?,
            Event::Start(start) => tree.open(element(reader.resolver(), &start)?)?,
            Event::Empty(start) => {
                tree.open(element(reader.resolver(), &start)?)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) if text.contains("]]>") => return Err(Problem::NotWellFormed),
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text_in_element(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.text_in_element(&resolved(&reference)?)?,
            Event::Comment(_) => {}
            Event::DocType(_) => return Err(Problem::DocumentType),
            Event::PI(_) => return Err(Problem::ProcessingInstruction),
            Event::Decl(_) => return Err(Problem::NotWellFormed),
            Event::Eof => return tree.finish(),
        }
        is_first = false;
    }
}

/// The library's error quotes names out of the answer, so it is not linked.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` has it")]
fn problem(error: quick_xml::Error) -> Problem {
    match error {
        quick_xml::Error::Namespace(NamespaceError::TooManyBindings(_)) => Problem::TooManyNamespaces,
        _ => Problem::NotWellFormed,
    }
}

/// The version, and then it may say the encoding and whether it stands alone, in this order and no more.
fn check_declaration(declaration: &str, encoding: &str) -> Result<(), Problem> {
    let declaration = BytesStart::from_content(declaration, DECLARATION_NAME.len());
    let mut names = Vec::new();
    for attribute in declaration.attributes().take(MAX_ATTRIBUTES) {
        let attribute = attribute.map_err(|_| Problem::NotWellFormed)?;
        let (name, value) = (attribute.key.into_inner(), attribute.value.as_ref());
        match name {
            "version" if value == "1.0" => {}
            "encoding" if !value.eq_ignore_ascii_case(encoding) => return Err(Problem::Encoding),
            "encoding" => {}
            "standalone" if matches!(value, "yes" | "no") => {}
            _ => return Err(Problem::NotWellFormed),
        }
        names.push(name);
    }
    let is_in_order = matches!(
        names.as_slice(),
        ["version"] | ["version", "encoding" | "standalone"] | ["version", "encoding", "standalone"]
    );
    if is_in_order && are_apart(declaration.attributes_raw()) { Ok(()) } else { Err(Problem::NotWellFormed) }
}

fn element(names: &NamespaceResolver, start: &BytesStart<'_>) -> Result<Element, Problem> {
    if start.len() > MAX_TAG_SIZE {
        return Err(Problem::TagTooLong);
    }
    // XML keeps these for attributes; other readers refuse them.
    let is_reserved = start.name().prefix().is_some_and(|prefix| prefix.is_xml() || prefix.is_xmlns());
    if is_reserved || !is_qualified_name(start.name().into_inner()) || !are_apart(start.attributes_raw()) {
        return Err(Problem::NotWellFormed);
    }
    let (namespace, name) = names.resolve_element(start.name());
    let mut element = Element {
        namespace: bound(namespace)?.map(str::to_owned),
        name: name.into_inner().to_owned(),
        ..Element::default()
    };
    for (index, attribute) in start.attributes().enumerate() {
        let attribute = attribute.map_err(|_| Problem::NotWellFormed)?;
        if index == MAX_ATTRIBUTES {
            return Err(Problem::TooManyAttributes);
        }
        if attribute.value.contains('<') || !is_qualified_name(attribute.key.into_inner()) {
            return Err(Problem::NotWellFormed);
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Problem::Entity)?;
        if !value.chars().all(is_xml_character) {
            return Err(Problem::NotWellFormed);
        }
        if attribute.key.as_namespace_binding().is_some() {
            check_namespace(&attribute.value, &value)?;
            continue;
        }
        let (namespace, name) = names.resolve_attribute(attribute.key);
        let Some(namespace) = bound(namespace)? else { continue };
        if element.attribute(namespace, name.into_inner()).is_some() {
            return Err(Problem::NotWellFormed);
        }
        element.attributes.push((namespace.to_owned(), name.into_inner().to_owned(), value.into_owned()));
    }
    Ok(element)
}

/// The library resolves names by what is written, so that has to be the namespace's name, and not stand for it.
fn check_namespace(written: &str, name: &str) -> Result<(), Problem> {
    match name {
        _ if name.len() > MAX_NAMESPACE_SIZE => Err(Problem::NamespaceTooLong),
        _ if name != written => Err(Problem::NamespaceName),
        _ => Ok(()),
    }
}

fn bound(namespace: ResolveResult<'_>) -> Result<Option<&str>, Problem> {
    match namespace {
        ResolveResult::Bound(namespace) => Ok(Some(namespace.into_inner())),
        ResolveResult::Unbound => Ok(None),
        ResolveResult::Unknown(_) => Err(Problem::UndeclaredPrefix),
    }
}

/// The five entities that XML has by itself, and characters by their number.
fn resolved<'a>(reference: &'a BytesRef<'_>) -> Result<Cow<'a, str>, Problem> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) if is_xml_character(character) => Ok(Cow::Owned(character.to_string())),
        Ok(Some(_)) => Err(Problem::NotWellFormed),
        Ok(None) => resolve_predefined_entity(reference).map(Cow::Borrowed).ok_or(Problem::Entity),
        Err(_) => Err(Problem::NotWellFormed),
    }
}

/// The elements that are open, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), Problem> {
        self.elements += 1;
        match () {
            () if self.root.is_some() => Err(Problem::NotWellFormed),
            () if self.open.len() == MAX_DEPTH => Err(Problem::TooDeep),
            () if self.elements > MAX_ELEMENTS => Err(Problem::TooManyElements),
            () => {
                self.open.push(element);
                Ok(())
            }
        }
    }

    fn close(&mut self) -> Result<(), Problem> {
        let element = self.open.pop().ok_or(Problem::NotWellFormed)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    /// White space may stand outside of the root, and nothing else.
    fn text(&mut self, text: &str) -> Result<(), Problem> {
        let is_outside = self.open.is_empty() && text.chars().all(is_white_space);
        if is_outside { Ok(()) } else { self.text_in_element(text) }
    }

    fn text_in_element(&mut self, text: &str) -> Result<(), Problem> {
        let element = self.open.last_mut().ok_or(Problem::NotWellFormed)?;
        extend_wiping(&mut element.text, text.as_bytes());
        Ok(())
    }

    fn finish(self) -> Result<Element, Problem> {
        if self.open.is_empty() {
            self.root.ok_or(Problem::NotWellFormed)
        } else {
            Err(Problem::NotWellFormed)
        }
    }
}
