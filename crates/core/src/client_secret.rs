//! The application's client secret.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::secret::SecretText;

/// What SuperOffice hands an application to prove who it is; SuperOffice also calls it application token.
#[derive(Clone)]
pub struct ClientSecret(SecretText);

impl ClientSecret {
    /// The longest secret that is taken, in bytes; those seen have 32.
    pub const MAX_LENGTH: usize = 512;

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret([redacted])")
    }
}

impl FromStr for ClientSecret {
    type Err = ParseClientSecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use ParseClientSecretError as E;
        match text {
            "" => Err(E::Empty),
            _ if text.len() > Self::MAX_LENGTH => Err(E::TooLong),
            // It travels in an HTTP header too, which takes nothing else.
            _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err(E::Character),
            _ => Ok(Self(SecretText::new(text.to_owned()))),
        }
    }
}

/// Why a text is no client secret. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseClientSecretError {
    /// Nothing at all.
    #[error("the client secret is empty; SuperOffice issued one when the application was registered")]
    Empty,
    /// Longer than [`ClientSecret::MAX_LENGTH`].
    #[error(
        "the client secret is longer than {} bytes; was something else pasted?",
        ClientSecret::MAX_LENGTH
    )]
    TooLong,
    /// White space, a control character or something beyond ASCII.
    #[error(
        "the client secret holds white space, a control character or a character beyond ASCII; copy it without"
    )]
    Character,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_secrets_parse_at_the_edge() {
        use ParseClientSecretError as E;
        let error = |text: &str| text.parse::<ClientSecret>().unwrap_err();
        assert_eq!("0123abc".parse::<ClientSecret>().unwrap().expose(), "0123abc");
        assert_eq!(error(""), E::Empty);
        assert_eq!(error("abc\n"), E::Character);
        assert_eq!(error("a b"), E::Character);
        assert_eq!(error("ä"), E::Character);
        assert_eq!(error(&"a".repeat(513)), E::TooLong);
    }

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        let secret: ClientSecret = "hunter2".parse().unwrap();
        assert_eq!(format!("{secret:?}"), "ClientSecret([redacted])");
    }
}
