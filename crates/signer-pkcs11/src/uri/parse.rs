//! Reads a PKCS#11 URI, strictly: what is not understood would widen the match.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use soticket_core::SecretText;
use thiserror::Error;

use super::{
    LibraryAttribute, ModuleName, ObjectAttributes, Pkcs11Uri, SlotAttribute, TokenAttribute, UriPin,
};

/// Why a text is no PKCS#11 URI that can be used. No message holds a PIN.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParsePkcs11UriError {
    /// Another scheme, or none.
    #[error("a PKCS#11 URI begins with `pkcs11:`")]
    Scheme,
    /// An attribute without `=`.
    #[error("attribute {0} of the PKCS#11 URI has no `=`; write `name=value`, and %3B for a `;` in a value")]
    NoValue(usize),
    /// A `%` that no two hexadecimal digits follow.
    #[error(
        "the value of `{0}` has a `%` without two hexadecimal digits behind it; write %25 for a percent sign"
    )]
    PercentEncoding(String),
    /// A value that is no UTF-8 where text is needed.
    #[error("the value of `{0}` is no UTF-8")]
    NotText(String),
    /// An attribute that is there twice.
    #[error("`{0}` is there twice in the PKCS#11 URI; give it once")]
    Duplicate(String),
    /// A path attribute that RFC 7512 does not know.
    #[error(
        "`{0}` is no path attribute of a PKCS#11 URI; ignoring it would match more keys than are meant. There are \
         token, serial, model, manufacturer, object, id, type, slot-id, slot-description, slot-manufacturer, \
         library-description, library-manufacturer and library-version"
    )]
    UnknownAttribute(String),
    /// A query attribute that RFC 7512 does not know and that is not marked as a maker's own.
    #[error(
        "`{0}` is no query attribute of a PKCS#11 URI; there are module-path, module-name, pin-source and pin-value"
    )]
    UnknownQuery(String),
    /// `type` of something that does not sign.
    #[error("`type={0}` names no private key; leave `type` out, or write `type=private`")]
    NotAPrivateKey(String),
    /// `slot-id` that is no number.
    #[error("`slot-id` is a decimal number")]
    SlotId,
    /// A relative `module-path`.
    #[error("`module-path` is an absolute path; write it in full, or use `module-name`")]
    RelativeModule,
    /// A `module-name` with a folder in it.
    #[error("`module-name` is a name without folders; use `module-path` for a path")]
    ModuleNameIsPath,
    /// Both ways of naming the module.
    #[error("give `module-path` or `module-name`, not both")]
    TwoModules,
    /// `pin-source=|command`.
    #[error(
        "`pin-source` names a program to run, which soticket does not do: whoever can write the URI could run \
         anything; name a file"
    )]
    PinCommand,
    /// `pin-source` that is no file.
    #[error("`pin-source` is a path or a `file:` URI of this machine")]
    PinSource,
    /// Both a PIN and a place for it.
    #[error("give `pin-source` or `pin-value`, not both")]
    TwoPins,
    /// An empty PIN, which counts as a try.
    #[error("`pin-value` is empty; an empty PIN would count as a wrong one")]
    EmptyPin,
    /// An empty value, which matches nothing that was meant.
    #[error("the value of `{0}` is empty; leave the attribute out, or give it a value")]
    EmptyValue(String),
}

impl FromStr for Pkcs11Uri {
    type Err = ParsePkcs11UriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once(':').ok_or(ParsePkcs11UriError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkcs11") {
            return Err(ParsePkcs11UriError::Scheme);
        }
        let (path, query) = rest.split_once('?').map_or((rest, ""), |(path, query)| (path, query));
        let mut uri = Self::empty();
        for (name, value) in attributes(path, ';')? {
            uri.set_path_attribute(&name, value)?;
        }
        for (name, value) in attributes(query, '&')? {
            uri.set_query_attribute(&name, value)?;
        }
        Ok(uri)
    }
}

impl Pkcs11Uri {
    fn empty() -> Self {
        Self {
            library: Vec::new(),
            slot: Vec::new(),
            token: Vec::new(),
            slot_id: None,
            object: ObjectAttributes::default(),
            module: None,
            pin: None,
            initialize_arguments: None,
            ignored: Vec::new(),
        }
    }

    fn set_path_attribute(&mut self, name: &str, value: Value<'_>) -> Result<(), ParsePkcs11UriError> {
        match name {
            "library-manufacturer" => self.library.push((LibraryAttribute::Manufacturer, value.text()?)),
            "library-description" => self.library.push((LibraryAttribute::Description, value.text()?)),
            "library-version" => self.library.push((LibraryAttribute::Version, value.text()?)),
            "slot-manufacturer" => self.slot.push((SlotAttribute::Manufacturer, value.text()?)),
            "slot-description" => self.slot.push((SlotAttribute::Description, value.text()?)),
            "slot-id" => {
                self.slot_id = Some(value.text()?.parse().map_err(|_| ParsePkcs11UriError::SlotId)?);
            }
            "token" => self.token.push((TokenAttribute::Label, value.text()?)),
            "manufacturer" => self.token.push((TokenAttribute::Manufacturer, value.text()?)),
            "serial" => self.token.push((TokenAttribute::Serial, value.text()?)),
            "model" => self.token.push((TokenAttribute::Model, value.text()?)),
            "object" => self.object.label = Some(value.text()?),
            "id" => self.object.id = Some(value.bytes()?),
            "type" => match value.text()?.as_str() {
                "private" => {}
                other => return Err(ParsePkcs11UriError::NotAPrivateKey(other.to_owned())),
            },
            other => return Err(ParsePkcs11UriError::UnknownAttribute(other.to_owned())),
        }
        Ok(())
    }

    fn set_query_attribute(&mut self, name: &str, value: Value<'_>) -> Result<(), ParsePkcs11UriError> {
        match name {
            "module-path" => self.set_module(module_path(value.text()?)?)?,
            "module-name" => self.set_module(module_name(value.text()?)?)?,
            "pin-source" => self.set_pin(UriPin::Source(pin_source(&value.text()?)?))?,
            "pin-value" => match value.text() {
                Ok(pin) => self.set_pin(UriPin::Value(SecretText::new(pin)))?,
                Err(ParsePkcs11UriError::EmptyValue(_)) => return Err(ParsePkcs11UriError::EmptyPin),
                Err(error) => return Err(error),
            },
            "x-initialize-arguments" => self.initialize_arguments = Some(value.text()?),
            other if other.starts_with("x-") => self.ignored.push(other.to_owned()),
            other => return Err(ParsePkcs11UriError::UnknownQuery(other.to_owned())),
        }
        Ok(())
    }

    fn set_module(&mut self, module: ModuleName) -> Result<(), ParsePkcs11UriError> {
        match self.module.replace(module) {
            None => Ok(()),
            Some(_) => Err(ParsePkcs11UriError::TwoModules),
        }
    }

    fn set_pin(&mut self, pin: UriPin) -> Result<(), ParsePkcs11UriError> {
        match self.pin.replace(pin) {
            None => Ok(()),
            Some(_) => Err(ParsePkcs11UriError::TwoPins),
        }
    }
}

/// A value as it was written, with the name it belongs to.
struct Value<'a> {
    name: &'a str,
    written: &'a str,
}

impl Value<'_> {
    fn bytes(&self) -> Result<Vec<u8>, ParsePkcs11UriError> {
        if self.written.is_empty() {
            return Err(ParsePkcs11UriError::EmptyValue(self.name.to_owned()));
        }
        let mut rest = self.written;
        while let Some((_, behind)) = rest.split_once('%') {
            let digits = behind.as_bytes().get(..2).unwrap_or_default();
            if digits.len() != 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
                return Err(ParsePkcs11UriError::PercentEncoding(self.name.to_owned()));
            }
            rest = behind;
        }
        Ok(percent_decode_str(self.written).collect())
    }

    fn text(&self) -> Result<String, ParsePkcs11UriError> {
        String::from_utf8(self.bytes()?).map_err(|_| ParsePkcs11UriError::NotText(self.name.to_owned()))
    }
}

/// The attributes of one part of the URI; each name is there once.
fn attributes(part: &str, separator: char) -> Result<Vec<(String, Value<'_>)>, ParsePkcs11UriError> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    if part.is_empty() {
        return Ok(found);
    }
    for (number, attribute) in (1..).zip(part.split(separator)) {
        let (name, written) = attribute.split_once('=').ok_or(ParsePkcs11UriError::NoValue(number))?;
        if !seen.insert(name) {
            return Err(ParsePkcs11UriError::Duplicate(name.to_owned()));
        }
        found.push((name.to_owned(), Value { name, written }));
    }
    Ok(found)
}

fn module_path(path: String) -> Result<ModuleName, ParsePkcs11UriError> {
    let path = PathBuf::from(path);
    if path.is_absolute() { Ok(ModuleName::Path(path)) } else { Err(ParsePkcs11UriError::RelativeModule) }
}

fn module_name(name: String) -> Result<ModuleName, ParsePkcs11UriError> {
    if name.contains(['/', '\\']) {
        return Err(ParsePkcs11UriError::ModuleNameIsPath);
    }
    Ok(ModuleName::Name(name))
}

/// `file:path`, `file:///path`, `file://localhost/path` or a bare path.
fn pin_source(text: &str) -> Result<PathBuf, ParsePkcs11UriError> {
    if text.starts_with('|') {
        return Err(ParsePkcs11UriError::PinCommand);
    }
    let path = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => match rest.strip_prefix("//") {
            Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
            None => rest,
        },
        _ => text,
    };
    let of_another_host = text.len() != path.len() && text.contains("://") && !path.starts_with('/');
    match Path::new(path) {
        path if path.as_os_str().is_empty() || of_another_host => Err(ParsePkcs11UriError::PinSource),
        path => Ok(path.to_owned()),
    }
}
