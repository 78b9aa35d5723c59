//! From the JWT that an exchange returns to claims that can be trusted: every rule on by default, each with its own error.

pub mod jwks;
mod key_set;
pub mod pinned;
mod strict_json;
pub(crate) mod validator;

use std::fmt;

use crate::secret::SecretText;

/// The prefix of the names of SuperOffice's own claims.
pub const CLAIM_PREFIX: &str = "http://schemes.superoffice.net/identity/";

/// What the claim `iss` of a system user JWT holds; the `id_token`s of interactive sign-ins differ.
pub const ISSUER: &str = "SuperOffice AS";

/// What the claim `aud` begins with; the tenant's serial number follows.
pub const AUDIENCE_PREFIX: &str = "spn:";

/// The largest JWT that is looked at, in bytes. Those of the service have two or three kilobytes.
pub const MAX_JWT_SIZE: usize = 64 * 1024;

/// A JWT as it came, of which nothing is known yet.
///
/// It holds a ticket, so it is a secret; and nothing in it may be used before it is validated.
#[derive(Clone)]
pub struct UnvalidatedJwt(SecretText);

impl UnvalidatedJwt {
    /// Takes any text; what it is worth shows when it is validated.
    #[must_use]
    pub fn new(text: impl Into<SecretText>) -> Self {
        Self(text.into())
    }

    /// The compact serialisation.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for UnvalidatedJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnvalidatedJwt([redacted])")
    }
}

/// A rule that must hold before a ticket is trusted, or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrustRule {
    /// The server's TLS certificate is trusted.
    Tls,
    /// No redirect.
    Redirected,
    /// A tenant's API is at an address that a ticket may be sent to: `https` and SuperOffice's own, or what the environment is.
    TenantAddress,
    /// The answer, or the JWT in it, is not larger than any true one.
    TooLarge,
    /// The token is a JWT and not the deprecated SAML.
    NotSaml,
    /// The JWT is three parts of Base64url, two of them JSON objects without duplicate members.
    WellFormed,
    /// The algorithm is on our list, whatever the token says.
    Algorithm,
    /// The token says which key of the JWKS signed it.
    KeyIdPresent,
    /// That key is in the environment's JWKS.
    KeyIdKnown,
    /// The JWKS is the environment's own, and holds keys that can be used.
    KeySet,
    /// The signature verifies.
    Signature,
    /// `iss` is SuperOffice.
    Issuer,
    /// `aud` has the form of a system user JWT's.
    Audience,
    /// `aud` names the serial number that the token states.
    AudienceMatchesSerial,
    /// `exp` and `nbf` are numbers, and `exp` is there.
    TimesWellFormed,
    /// `exp` is not past.
    NotExpired,
    /// `nbf` is past.
    AlreadyValid,
    /// `ctx` is the tenant that was asked for.
    Tenant,
    /// There is a ticket.
    TicketPresent,
    /// The ticket is not empty.
    TicketNotEmpty,
}
