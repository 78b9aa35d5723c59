//! Strings that must not be seen: never displayed, never serialised, `[redacted]` in `Debug`, wiped when dropped.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret text, the stuff that the named secrets of this crate are made of.
///
/// Its memory is wiped when it is dropped. Two secrets cannot be compared by `==`: a comparison that stops at the first
/// difference leaks.
#[derive(Clone)]
pub struct SecretText(SecretString);

impl SecretText {
    /// Takes over `text`; the `String` should not have been re-allocated while it grew, since freed copies are not wiped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text itself; keep the borrow short, and do not copy it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether both are the same, found out in a time that tells their lengths alone.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Appends without leaving a copy of what is there already in freed memory.
pub(crate) fn extend_wiping(bytes: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    let needed = bytes.len() + more.len();
    if needed > bytes.capacity() {
        let mut grown = Zeroizing::new(Vec::with_capacity(needed.max(2 * bytes.capacity())));
        grown.extend_from_slice(bytes);
        *bytes = grown;
    }
    bytes.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_grow_keep_their_content() {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2));
        for more in [&b"ab"[..], b"cdefgh", b"", b"i"] {
            extend_wiping(&mut bytes, more);
        }
        assert_eq!(bytes.as_slice(), b"abcdefghi");
    }

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2".into())), "[redacted]");
    }
}
