//! The system user token, and the signed system token that is made of it, a time and a signature.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use thiserror::Error;

use crate::clock::Clock;
use crate::public_key::{PublicKey, SignatureMismatch};
use crate::secret::SecretText;
use crate::signer::{Signature, SignerError, TokenSigner};

/// What a tenant's administrator grants an application: its name, a hyphen and random characters, such as
/// `My App-pzqc70604i`. It may hold spaces and dots, and stays the same for the life of the approval.
#[derive(Clone)]
pub struct SystemUserToken(SecretText);

impl SystemUserToken {
    /// The longest token that is taken, in bytes; those seen have some tens.
    pub const MAX_LENGTH: usize = 1024;

    /// The token itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for SystemUserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemUserToken([redacted])")
    }
}

impl FromStr for SystemUserToken {
    type Err = ParseSystemUserTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use ParseSystemUserTokenError as E;
        match text {
            "" => Err(E::Empty),
            _ if text.len() > Self::MAX_LENGTH => Err(E::TooLong),
            _ if text.trim() != text => Err(E::SurroundingWhiteSpace),
            _ if text.contains(char::is_control) => Err(E::ControlCharacter),
            _ => Ok(Self(SecretText::new(text.to_owned()))),
        }
    }
}

/// Why a text is no system user token. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseSystemUserTokenError {
    /// Nothing at all.
    #[error("the system user token is empty; it is the claim `…/system_token` of an administrator's sign-in")]
    Empty,
    /// Longer than [`SystemUserToken::MAX_LENGTH`].
    #[error(
        "the system user token is longer than {} bytes; was something else pasted?",
        SystemUserToken::MAX_LENGTH
    )]
    TooLong,
    /// White space before or after.
    #[error("the system user token begins or ends with white space; copy it without")]
    SurroundingWhiteSpace,
    /// A line feed, a tab or another control character inside.
    #[error("the system user token holds a control character; was more than one line pasted?")]
    ControlCharacter,
}

/// `<system user token>.<UTC time as yyyyMMddHHmm>.<Base64 of the signature over all before the last dot>`.
///
/// A credential for as long as the service accepts its time: shown by [`SignedSystemToken::to_secret_text`] only.
#[derive(Clone)]
pub struct SignedSystemToken {
    token: SystemUserToken,
    time: TokenTime,
    signature: Signature,
}

impl SignedSystemToken {
    /// Signs `token` at the time that `clock` shows.
    ///
    /// # Errors
    /// The signer's own.
    pub async fn build(
        token: &SystemUserToken,
        clock: &dyn Clock,
        signer: &dyn TokenSigner,
    ) -> Result<Self, SignerError> {
        let time = TokenTime::of(clock.now());
        let message = message(token, time);
        let signature = signer.sign(message.expose().as_bytes()).await?;
        Ok(Self { token: token.clone(), time, signature })
    }

    /// Checks that the signature was made by the private half of `key`; says nothing about the time.
    ///
    /// # Errors
    /// [`SignatureMismatch`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureMismatch> {
        let message = message(&self.token, self.time);
        key.verify(message.expose().as_bytes(), &self.signature)
    }

    /// The token that was signed.
    #[must_use]
    pub fn token(&self) -> &SystemUserToken {
        &self.token
    }

    /// The minute at which it was signed.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time.to_timestamp()
    }

    /// The form that goes over the wire.
    #[must_use]
    pub fn to_secret_text(&self) -> SecretText {
        let message = message(&self.token, self.time);
        let signature = self.signature.to_base64();
        let mut text = String::with_capacity(message.expose().len() + 1 + signature.len());
        text.push_str(message.expose());
        text.push('.');
        text.push_str(&signature);
        SecretText::new(text)
    }
}

impl fmt::Debug for SignedSystemToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedSystemToken").field("time", &self.time()).finish_non_exhaustive()
    }
}

impl FromStr for SignedSystemToken {
    type Err = ParseSignedSystemTokenError;

    /// Splits from the right, since the token may hold dots and the rest cannot.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use ParseSignedSystemTokenError as E;
        let (rest, signature) = text.rsplit_once('.').ok_or(E::Parts)?;
        let (token, time) = rest.rsplit_once('.').ok_or(E::Parts)?;
        let signature = Base64::decode_vec(signature).map_err(|_| E::Signature)?;
        if signature.is_empty() {
            return Err(E::Signature);
        }
        Ok(Self { token: token.parse()?, time: time.parse()?, signature: Signature::from_bytes(signature) })
    }
}

/// Why a text is no signed system token. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseSignedSystemTokenError {
    /// Fewer than two dots.
    #[error("a signed system token is `<token>.<yyyyMMddHHmm>.<signature>`; this has fewer than three parts")]
    Parts,
    /// The part before the time.
    #[error(transparent)]
    Token(#[from] ParseSystemUserTokenError),
    /// The middle part.
    #[error("the time in the signed system token is no UTC time of the form yyyyMMddHHmm")]
    Time,
    /// The last part.
    #[error("the signature in the signed system token is not standard Base64 with padding")]
    Signature,
}

/// A UTC minute, as the protocol writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TokenTime(DateTime);

impl TokenTime {
    /// The digits of a time: four for the year, two each for month, day, hour and minute.
    const LENGTH: usize = 12;

    fn of(time: Timestamp) -> Self {
        let utc = TimeZone::UTC.to_datetime(time);
        Self(utc.date().at(utc.hour(), utc.minute(), 0, 0))
    }

    fn to_timestamp(self) -> Timestamp {
        TimeZone::UTC.to_timestamp(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for TokenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(t) = self;
        write!(f, "{:04}{:02}{:02}{:02}{:02}", t.year(), t.month(), t.day(), t.hour(), t.minute())
    }
}

impl FromStr for TokenTime {
    type Err = ParseSignedSystemTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let field =
            |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<i16>().ok());
        let small = |start: usize| field(start..start + 2).and_then(|value| i8::try_from(value).ok());
        if text.len() != Self::LENGTH || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseSignedSystemTokenError::Time);
        }
        field(0..4)
            .zip(small(4).zip(small(6)))
            .zip(small(8).zip(small(10)))
            .and_then(|((year, (month, day)), (hour, minute))| {
                DateTime::new(year, month, day, hour, minute, 0, 0).ok()
            })
            .map(Self)
            .ok_or(ParseSignedSystemTokenError::Time)
    }
}

fn message(token: &SystemUserToken, time: TokenTime) -> SecretText {
    let mut text = String::with_capacity(token.expose().len() + 1 + TokenTime::LENGTH);
    text.push_str(token.expose());
    text.push('.');
    text.push_str(&time.to_string());
    SecretText::new(text)
}

#[cfg(test)]
mod tests;
