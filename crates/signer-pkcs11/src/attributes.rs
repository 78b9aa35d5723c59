//! Reading an object's attributes one by one, since modules differ in which they have.

use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use crate::fault::Fault;

/// An object and the session to read it through.
pub(crate) struct Object<'a> {
    pub(crate) session: &'a Session,
    pub(crate) handle: ObjectHandle,
}

impl Object<'_> {
    pub(crate) fn label(&self) -> Result<String, Fault> {
        let label = self.read(AttributeType::Label, |attribute| match attribute {
            Attribute::Label(label) => Some(label),
            _ => None,
        })?;
        let label = label.unwrap_or_default();
        Ok(String::from_utf8_lossy(&label).trim_end_matches('\0').to_owned())
    }

    pub(crate) fn id(&self) -> Result<Vec<u8>, Fault> {
        let id = self.read(AttributeType::Id, |attribute| match attribute {
            Attribute::Id(id) => Some(id),
            _ => None,
        })?;
        Ok(id.unwrap_or_default())
    }

    pub(crate) fn key_type(&self) -> Result<Option<KeyType>, Fault> {
        self.read(AttributeType::KeyType, |attribute| match attribute {
            Attribute::KeyType(key_type) => Some(key_type),
            _ => None,
        })
    }

    pub(crate) fn flag(&self, flag: AttributeType) -> Result<Option<bool>, Fault> {
        self.read(flag, |attribute| match attribute {
            Attribute::Sensitive(is)
            | Attribute::Extractable(is)
            | Attribute::Local(is)
            | Attribute::AlwaysSensitive(is)
            | Attribute::NeverExtractable(is)
            | Attribute::AlwaysAuthenticate(is)
            | Attribute::Sign(is) => Some(is),
            _ => None,
        })
    }

    pub(crate) fn bytes(&self, attribute: AttributeType) -> Result<Option<Vec<u8>>, Fault> {
        self.read(attribute, |attribute| match attribute {
            Attribute::Modulus(bytes)
            | Attribute::PublicExponent(bytes)
            | Attribute::EcParams(bytes)
            | Attribute::EcPoint(bytes)
            | Attribute::PublicKeyInfo(bytes)
            | Attribute::Value(bytes) => Some(bytes).filter(|bytes| !bytes.is_empty()),
            _ => None,
        })
    }

    /// One attribute, if the object has it in a form that can be read.
    fn read<T>(
        &self,
        wanted: AttributeType,
        take: impl FnOnce(Attribute) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.session.get_attributes(self.handle, &[wanted]) {
            Ok(attributes) => Ok(attributes.into_iter().next().and_then(take)),
            Err(Error::Pkcs11(RvError::AttributeTypeInvalid | RvError::AttributeSensitive, _)) => Ok(None),
            Err(error @ Error::Pkcs11(..)) => {
                Err(Fault::of_call("an attribute cannot be read", error.into()))
            }
            // A value that cryptoki cannot make sense of is as good as none.
            Err(_) => Ok(None),
        }
    }
}

/// The objects of a class, narrowed by what is known of them.
pub(crate) fn find(
    session: &Session,
    class: ObjectClass,
    mut narrowed: Vec<Attribute>,
) -> Result<Vec<ObjectHandle>, Fault> {
    narrowed.push(Attribute::Class(class));
    session
        .find_objects(&narrowed)
        .map_err(|error| Fault::of_call("the objects cannot be searched", error.into()))
}
