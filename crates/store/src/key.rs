//! The key that records are encrypted under, and the texts that it is written in.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::rand;
use base64ct::{Base64, Base64Unpadded, Encoding};
use soticket_core::SecretText;
use soticket_core::store::{StoreError, StoreErrorKind};
use thiserror::Error;
use zeroize::Zeroizing;

/// The 256-bit key that a store encrypts its records under; whoever shares the store shares the key.
///
/// A lost key costs one exchange for each tenant: make another one. Its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; Self::LENGTH]>);

impl StoreKey {
    /// Its length in bytes.
    pub const LENGTH: usize = 32;

    /// A new key from the system's random numbers.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] when the system has none.
    pub fn generate() -> Result<Self, StoreError> {
        let mut bytes = Zeroizing::new([0; Self::LENGTH]);
        rand::fill(bytes.as_mut_slice()).map_err(|cause| {
            let message = "the system gives no random numbers to make a store key of";
            StoreError::new(StoreErrorKind::Unavailable, message).with_source(cause)
        })?;
        Ok(Self(bytes))
    }

    /// The key in the file at `path`, written as [`FromStr`] reads it. Blocks.
    ///
    /// Warns when other users of the machine may read the file.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`], naming the path, when there is no such file or no key in it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let refused = |why: &dyn fmt::Display| {
            StoreError::new(
                StoreErrorKind::Configuration,
                format!("the store key file `{}`: {why}", path.display()),
            )
        };
        let text =
            read(path).map_err(|cause| refused(&"it cannot be read; check the path").with_source(cause))?;
        let text = std::str::from_utf8(&text).map_err(|_| refused(&ParseStoreKeyError::Form))?;
        text.parse().map_err(|error: ParseStoreKeyError| refused(&error))
    }

    /// The key in Base64, as [`FromStr`] reads it: to be written where only those can read it who share the store.
    #[must_use]
    pub fn to_secret_text(&self) -> SecretText {
        SecretText::new(Base64::encode_string(self.0.as_slice()))
    }

    pub(crate) fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey([redacted])")
    }
}

/// 64 hexadecimal digits, or the Base64 of 32 bytes with its padding or without, between any white space.
impl FromStr for StoreKey {
    type Err = ParseStoreKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(ParseStoreKeyError::Empty);
        }
        let bytes = from_hex(text).or_else(|| from_base64(text)).ok_or(ParseStoreKeyError::Form)?;
        let [first, rest @ ..] = &*bytes;
        if rest.iter().all(|byte| byte == first) {
            return Err(ParseStoreKeyError::Weak);
        }
        Ok(Self(bytes))
    }
}

/// Why a text is no store key. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseStoreKeyError {
    /// Nothing but white space.
    #[error("the store key is empty; make one with `openssl rand -base64 32`")]
    Empty,
    /// Neither of the two forms.
    #[error(
        "this is no store key, which is 32 bytes in Base64 or 64 hexadecimal digits; \
         make one with `openssl rand -base64 32`"
    )]
    Form,
    /// The same byte all along: nobody drew that by chance.
    #[error("the store key is the same byte all along; make one with `openssl rand -base64 32`")]
    Weak,
}

pub(crate) fn from_hex(text: &str) -> Option<Zeroizing<[u8; StoreKey::LENGTH]>> {
    let digits = text.as_bytes();
    let mut bytes = Zeroizing::new([0; StoreKey::LENGTH]);
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::try_from(digit(2 * at)? * 16 + digit(2 * at + 1)?).ok()?;
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<[u8; StoreKey::LENGTH]>> {
    let mut bytes = Zeroizing::new([0; StoreKey::LENGTH]);
    let decode = if text.ends_with('=') { Base64::decode } else { Base64Unpadded::decode };
    let length = decode(text, bytes.as_mut_slice()).ok()?.len();
    (length == StoreKey::LENGTH).then_some(bytes)
}

/// Reads into memory that is wiped, and no more than a key has.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    warn_if_shared(path, &file.metadata()?);
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_SIZE + 1));
    let limit = u64::try_from(MAX_FILE_SIZE + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut text)?;
    if text.len() > MAX_FILE_SIZE {
        return Err(io::Error::other(format!(
            "it has more than {MAX_FILE_SIZE} bytes, which no store key has"
        )));
    }
    Ok(text)
}

#[cfg(unix)]
fn warn_if_shared(path: &Path, metadata: &std::fs::Metadata) {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & PERMISSION_BITS;
    if metadata.is_file() && mode & READ_BY_OTHERS != 0 {
        let path = path.display();
        tracing::warn!(%path, mode = format_args!("{mode:04o}"), "other users can read the store key; run `chmod 600` on it");
    }
}

/// Elsewhere access is governed by lists that the standard library does not show.
#[cfg(not(unix))]
fn warn_if_shared(_: &Path, _: &std::fs::Metadata) {}

/// The most that a key file may hold, in bytes: a key, and the white space that editors put there.
const MAX_FILE_SIZE: usize = 1024;

#[cfg(unix)]
const PERMISSION_BITS: u32 = 0o7777;
#[cfg(unix)]
const READ_BY_OTHERS: u32 = 0o044;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> ParseStoreKeyError {
        text.parse::<StoreKey>().unwrap_err()
    }

    #[test]
    fn a_key_is_read_from_hexadecimal_and_from_base64_with_white_space_around() {
        let key = StoreKey::generate().unwrap();
        let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = key.to_secret_text().expose().to_owned();
        let unpadded = base64.trim_end_matches('=').to_owned();
        for text in [
            &hex,
            &hex.to_uppercase(),
            &base64,
            &unpadded,
            &format!(" {base64}\r\n"),
            &format!("\u{feff}{hex}\n"),
        ] {
            assert_eq!(text.parse::<StoreKey>().unwrap().expose(), key.expose(), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_without_repeating_it() {
        use ParseStoreKeyError as E;
        assert_eq!(error(" \n"), E::Empty);
        assert_eq!(error(&"ab".repeat(31)), E::Form);
        assert_eq!(error(&"xy".repeat(32)), E::Form);
        assert_eq!(error("aHVudGVyMg=="), E::Form);
        assert_eq!(error("hunter2"), E::Form);
        assert!(!error("hunter2").to_string().contains("hunter2"));
    }

    #[test]
    fn a_key_that_nobody_drew_is_refused() {
        assert_eq!(error(&"00".repeat(32)), ParseStoreKeyError::Weak);
        assert_eq!(error(&Base64::encode_string(&[0; 32])), ParseStoreKeyError::Weak);
        assert_eq!(error(&"7f".repeat(32)), ParseStoreKeyError::Weak);
    }

    #[test]
    fn two_keys_are_not_the_same() {
        assert_ne!(StoreKey::generate().unwrap().expose(), StoreKey::generate().unwrap().expose());
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        assert_eq!(format!("{:?}", StoreKey::generate().unwrap()), "StoreKey([redacted])");
    }

    #[test]
    fn a_key_file_is_read_and_named_when_it_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.key");
        let fails = || StoreKey::from_file(&path).unwrap_err();
        assert!(fails().to_string().contains("store.key"));
        for text in ["hunter2", &"0".repeat(MAX_FILE_SIZE + 1), "\u{0}\u{fffd}"] {
            std::fs::write(&path, text).unwrap();
            let error = fails();
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert!(error.to_string().contains("store.key") && !error.to_string().contains("hunter2"));
        }
        let key = StoreKey::generate().unwrap();
        std::fs::write(&path, format!("{}\n", key.to_secret_text().expose())).unwrap();
        assert_eq!(StoreKey::from_file(&path).unwrap().expose(), key.expose());
    }
}
