//! From bytes to a private key: recognises the format by its contents and hands over to that format's reader.

pub(crate) mod der;
pub(crate) mod encrypted;
mod pem;
mod text;
pub(crate) mod xml;

use zeroize::Zeroizing;

use crate::error::{KeyError, KeyProblem};
use crate::format::{Container, DetectedFormat, Encoding};
use crate::mistake::Mistake;
use crate::passphrase::Passphrase;
use crate::private_key::{LoadedKey, PrivateKey};

/// Reads a private key in any of the formats.
pub(crate) fn parse(contents: &[u8], passphrase: Passphrase) -> Result<LoadedKey, KeyError> {
    if contents.trim_ascii().is_empty() {
        return Err(KeyProblem::Empty.into());
    }
    if let Some(converted) = text::from_utf16(contents)? {
        return parse_text(converted.as_bytes(), passphrase);
    }
    parse_text(contents.strip_prefix(UTF8_BOM).unwrap_or(contents), passphrase)
}

fn parse_text(contents: &[u8], passphrase: Passphrase) -> Result<LoadedKey, KeyError> {
    if pem::is_pem(contents) {
        return der::parse(&pem::private_key_block(contents)?, Encoding::Pem, passphrase);
    }
    if contents.trim_ascii_start().starts_with(b"<") {
        return parse_xml(contents, &passphrase);
    }
    if contents.first() == Some(&DER_SEQUENCE) {
        return der::parse(contents, Encoding::Der, passphrase);
    }
    Err(match text::mistake(contents) {
        Some(mistake) => KeyProblem::Mistaken(mistake).into(),
        None => KeyProblem::NotRecognised.into(),
    })
}

fn parse_xml(contents: &[u8], passphrase: &Passphrase) -> Result<LoadedKey, KeyError> {
    let text =
        std::str::from_utf8(contents).map_err(|_| KeyProblem::DamagedXml("it is not text in UTF-8"))?;
    let key = PrivateKey::from_rsa(xml::parse(text)?)?;
    let format = DetectedFormat::new(Container::RsaKeyValue, Encoding::Xml);
    Ok(LoadedKey::new(key, format, unneeded_passphrase(passphrase)))
}

/// A passphrase for a key in the clear does no harm, but whoever gave it believes the file to be encrypted.
fn unneeded_passphrase(passphrase: &Passphrase) -> Vec<String> {
    let warning = "a passphrase was given, but the key is stored unencrypted; \
                   encrypt it with `soticket key convert`, or stop giving a passphrase";
    passphrase.is_given().then(|| warning.to_owned()).into_iter().collect()
}

/// Bytes that are wiped.
type Secret = Zeroizing<Vec<u8>>;

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";
const DER_SEQUENCE: u8 = 0x30;

impl From<Mistake> for KeyError {
    fn from(mistake: Mistake) -> Self {
        KeyProblem::Mistaken(mistake).into()
    }
}
