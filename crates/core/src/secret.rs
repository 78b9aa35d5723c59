//! Strings that must not be seen: never displayed, never serialised, `[redacted]` in `Debug`, wiped when dropped.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A secret text, the stuff that the named secrets of this crate are made of.
///
/// Its memory is wiped when it is dropped. Two secrets cannot be compared: nothing here needs it, and a
/// comparison that stops at the first difference leaks.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2".into())), "[redacted]");
    }
}
