//! PEM, as loosely as files in the wild are written: text around blocks, several blocks, any line length.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::{Secret, text};
use crate::error::{KeyError, KeyProblem};
use crate::mistake::Mistake;

/// Whether a PEM block begins anywhere at the start of a line.
pub(super) fn is_pem(contents: &[u8]) -> bool {
    lines(contents).any(|line| begin_label(line).is_some())
}

/// The DER of the one block that holds a private key, whatever other blocks and text there are.
pub(super) fn private_key_block(contents: &[u8]) -> Result<Secret, KeyError> {
    let blocks = blocks(contents)?;
    let private: Vec<_> = blocks.iter().filter(|block| block.label.ends_with(PRIVATE_KEY)).collect();
    match private.as_slice() {
        [block] => block.decode(),
        [] => Err(without_private_key(&blocks)),
        several => Err(KeyProblem::SeveralKeys(several.len()).into()),
    }
}

struct Block<'a> {
    label: &'a str,
    body: Vec<&'a [u8]>,
}

impl Block<'_> {
    fn decode(&self) -> Result<Secret, KeyError> {
        if let Some(mistake) = Mistake::from_pem_label(self.label) {
            return Err(mistake.into());
        }
        if self.is_legacy_encrypted() {
            return Err(KeyProblem::LegacyEncryption.into());
        }
        let base64 = self.base64();
        let mut der = Zeroizing::new(vec![0; base64.len() / BASE64_GROUP * BYTES_IN_GROUP]);
        let length = Base64::decode(base64.as_slice(), &mut der)
            .map_err(|_| KeyProblem::DamagedPem("what is between its lines is not Base64"))?
            .len();
        der.truncate(length);
        Ok(der)
    }

    fn is_legacy_encrypted(&self) -> bool {
        self.body.iter().any(|line| line.starts_with(b"Proc-Type:") && text::contains(line, b"ENCRYPTED"))
    }

    /// The body without headers (RFC 1421), which an empty line ends, and without white space.
    fn base64(&self) -> Secret {
        let headers = match self.body.first() {
            Some(first) if first.contains(&b':') => {
                self.body.iter().position(|line| line.is_empty()).unwrap_or(self.body.len())
            }
            _ => 0,
        };
        let lines = || self.body.iter().skip(headers);
        let mut base64 = Zeroizing::new(Vec::with_capacity(lines().map(|line| line.len()).sum()));
        for line in lines() {
            base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
        base64
    }
}

fn blocks(contents: &[u8]) -> Result<Vec<Block<'_>>, KeyError> {
    let mut blocks = Vec::new();
    let mut lines = lines(contents);
    while let Some(line) = lines.next() {
        let Some(label) = begin_label(line) else { continue };
        let mut body = Vec::new();
        loop {
            match lines.next() {
                None => return Err(KeyProblem::DamagedPem("it has no END line").into()),
                Some(line) if begin_label(line).is_some() => {
                    return Err(KeyProblem::DamagedPem("another begins before its END line").into());
                }
                Some(line) if is_end(line, label) => break,
                Some(line) if line.starts_with(END) => {
                    return Err(KeyProblem::DamagedPem("its BEGIN and END lines differ").into());
                }
                Some(line) => body.push(line),
            }
        }
        blocks.push(Block { label, body });
    }
    Ok(blocks)
}

/// Lines without the white space around them, ended by LF, CRLF, or the lone CR of old Macs.
fn lines(contents: &[u8]) -> impl Iterator<Item = &[u8]> {
    contents.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii)
}

fn begin_label(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line.strip_prefix(BEGIN)?.strip_suffix(DASHES)?).ok()
}

fn is_end(line: &[u8], label: &str) -> bool {
    line.strip_prefix(END).and_then(|rest| rest.strip_suffix(DASHES)) == Some(label.as_bytes())
}

fn without_private_key(blocks: &[Block<'_>]) -> KeyError {
    let mistakes = || blocks.iter().filter_map(|block| Mistake::from_pem_label(block.label));
    // Parameters come before keys and say little; what follows them says more.
    match mistakes().find(|mistake| *mistake != Mistake::Parameters).or_else(|| mistakes().next()) {
        Some(mistake) => mistake.into(),
        None => KeyProblem::NotRecognised.into(),
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const BASE64_GROUP: usize = 4;
const BYTES_IN_GROUP: usize = 3;
