//! Text around keys: byte order marks, and what other text files start with.

use zeroize::Zeroizing;

use crate::error::{KeyError, KeyProblem};
use crate::mistake::Mistake;

/// The text of a file in UTF-16, which Windows editors call "Unicode"; nothing for any other file.
pub(super) fn from_utf16(contents: &[u8]) -> Result<Option<Zeroizing<String>>, KeyError> {
    let unit: fn([u8; 2]) -> u16 = match contents {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Ok(None),
    };
    // Three bytes hold what any one unit becomes, so the buffer never grows and leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(contents.len().saturating_mul(2)));
    let units = contents.chunks_exact(2).skip(1).filter_map(|pair| Some(unit(pair.try_into().ok()?)));
    for character in char::decode_utf16(units) {
        text.push(character.map_err(|_| KeyProblem::NotRecognised)?);
    }
    Ok(Some(text))
}

/// What a file that is neither PEM, XML nor DER is known to be.
pub(super) fn mistake(contents: &[u8]) -> Option<Mistake> {
    let text = contents.trim_ascii();
    if let Some((_, mistake)) = OPENINGS.iter().find(|(opening, _)| text.starts_with(opening)) {
        return Some(*mistake);
    }
    if text.starts_with(b"{") && contains(text, b"\"kty\"") {
        return Some(Mistake::Jwk);
    }
    is_bare_base64(text).then_some(Mistake::BareBase64)
}

pub(super) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Base64 of a DER sequence of more than 255 bytes, which every private key of a usable size is but a P-256
/// one, and of more than 127, which that is.
fn is_bare_base64(text: &[u8]) -> bool {
    let opens_like_der = text.starts_with(b"MII") || text.starts_with(b"MIG") || text.starts_with(b"MH");
    opens_like_der && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n\t ".contains(byte))
}

const OPENINGS: [(&[u8], Mistake); 9] = [
    (b"ssh-rsa ", Mistake::SshPublicKey),
    (b"ssh-ed25519 ", Mistake::SshPublicKey),
    (b"ssh-dss ", Mistake::SshPublicKey),
    (b"ecdsa-sha2-", Mistake::SshPublicKey),
    (b"---- BEGIN SSH2 PUBLIC KEY", Mistake::SshPublicKey),
    (b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", Mistake::OpenSshKey),
    (b"PuTTY-User-Key-File", Mistake::PuttyKey),
    (b"\xfe\xed\xfe\xed", Mistake::JavaKeyStore),
    (b"\xce\xce\xce\xce", Mistake::JavaKeyStore),
];
