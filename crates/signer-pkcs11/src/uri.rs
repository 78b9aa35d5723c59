//! PKCS#11 URIs (RFC 7512): which token, which key, through which module, and where the PIN is.

mod parse;

use std::fmt;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use soticket_core::SecretText;

pub use parse::ParsePkcs11UriError;

/// Names a private key in a PKCS#11 token: `pkcs11:token=lab;object=partner?module-path=/usr/lib/softhsm/libsofthsm2.so`.
///
/// All path attributes of RFC 7512 are understood, and all that are given have to match. Shown and debugged
/// without the PIN.
#[derive(Clone)]
pub struct Pkcs11Uri {
    pub(crate) library: Vec<(LibraryAttribute, String)>,
    pub(crate) slot: Vec<(SlotAttribute, String)>,
    pub(crate) token: Vec<(TokenAttribute, String)>,
    pub(crate) slot_id: Option<u64>,
    pub(crate) object: ObjectAttributes,
    pub(crate) module: Option<ModuleName>,
    pub(crate) pin: Option<UriPin>,
    pub(crate) initialize_arguments: Option<String>,
    /// Query attributes of other makers, which are told of and change nothing.
    pub(crate) ignored: Vec<String>,
}

/// What is asked of the private key's own attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObjectAttributes {
    pub(crate) label: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
}

/// Attributes of the module itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LibraryAttribute {
    Manufacturer,
    Description,
    Version,
}

/// Attributes of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotAttribute {
    Manufacturer,
    Description,
}

/// Attributes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenAttribute {
    Label,
    Manufacturer,
    Serial,
    Model,
}

/// How the module is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModuleName {
    /// `module-path`, absolute.
    Path(PathBuf),
    /// `module-name`, looked for in the folders where modules are installed.
    Name(String),
}

/// Where the URI says that the PIN is.
#[derive(Debug, Clone)]
pub(crate) enum UriPin {
    Value(SecretText),
    Source(PathBuf),
}

impl Pkcs11Uri {
    /// The label that a key has or is to get.
    #[must_use]
    pub fn object_label(&self) -> Option<&str> {
        self.object.label.as_deref()
    }

    /// The identifier that a key has or is to get: bytes.
    #[must_use]
    pub fn object_id(&self) -> Option<&[u8]> {
        self.object.id.as_deref()
    }

    fn path_attributes(&self) -> Vec<String> {
        let text = |name: &str, value: &str| format!("{name}={}", encoded(value.as_bytes()));
        let library = self.library.iter().map(|(name, value)| text(name.as_str(), value));
        let slot = self.slot.iter().map(|(name, value)| text(name.as_str(), value));
        let slot_id = self.slot_id.map(|id| format!("slot-id={id}"));
        let token = self.token.iter().map(|(name, value)| text(name.as_str(), value));
        let label = self.object.label.as_deref().map(|label| text("object", label));
        let id = self.object.id.as_deref().map(|id| format!("id={}", encoded_id(id)));
        library.chain(slot).chain(slot_id).chain(token).chain(label).chain(id).collect()
    }

    fn query_attributes(&self) -> Vec<String> {
        let path = |name: &str, path: &std::path::Path| {
            format!("{name}={}", encoded(path.to_string_lossy().as_bytes()))
        };
        let module = self.module.as_ref().map(|module| match module {
            ModuleName::Path(file) => path("module-path", file),
            ModuleName::Name(name) => format!("module-name={}", encoded(name.as_bytes())),
        });
        let pin = self.pin.as_ref().map(|pin| match pin {
            UriPin::Value(_) => "pin-value=[redacted]".to_owned(),
            UriPin::Source(file) => path("pin-source", file),
        });
        let arguments = self
            .initialize_arguments
            .as_ref()
            .map(|text| format!("x-initialize-arguments={}", encoded(text.as_bytes())));
        module.into_iter().chain(pin).chain(arguments).collect()
    }
}

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkcs11:{}", self.path_attributes().join(";"))?;
        let query = self.query_attributes();
        if query.is_empty() { Ok(()) } else { write!(f, "?{}", query.join("&")) }
    }
}

impl fmt::Debug for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11Uri({self})")
    }
}

impl LibraryAttribute {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Manufacturer => "library-manufacturer",
            Self::Description => "library-description",
            Self::Version => "library-version",
        }
    }
}

impl SlotAttribute {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Manufacturer => "slot-manufacturer",
            Self::Description => "slot-description",
        }
    }
}

impl TokenAttribute {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Label => "token",
            Self::Manufacturer => "manufacturer",
            Self::Serial => "serial",
            Self::Model => "model",
        }
    }
}

/// An identifier as it stands in a URI: every byte percent-encoded, as other tools write it.
pub(crate) fn encoded_id(id: &[u8]) -> String {
    id.iter().map(|byte| format!("%{byte:02x}")).collect()
}

/// A text as it stands in a URI.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    percent_encode(bytes, KEPT_OUT).to_string()
}

/// What is encoded: all but what RFC 3986 leaves unreserved, and the solidus of paths.
const KEPT_OUT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

#[cfg(test)]
mod tests;
