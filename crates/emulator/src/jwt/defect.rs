//! The ways in which a JWT can be broken on demand.

use serde::Deserialize;

macro_rules! defects {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One way to break the JWT of an otherwise good exchange.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum JwtDefect { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl JwtDefect {
            /// Every defect.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in kebab case, as configuration files write it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

defects! {
    /// `alg` is `none`, and there is no signature.
    AlgNone = "alg-none",
    /// HS256 with the public key's PEM as the secret.
    Hs256WithPublicKey = "hs256-with-public-key",
    /// RS384 by the right key.
    Rs384 = "rs384",
    /// A `kid` (and `x5t`) of no key.
    UnknownKid = "unknown-kid",
    /// Neither `kid` nor `x5t`.
    NoKid = "no-kid",
    /// Signed by another key under the right `kid`.
    WrongKey = "wrong-key",
    /// Another issuer.
    WrongIssuer = "wrong-iss",
    /// An audience that is a client id, as in the `id_token` of a sign-in.
    WrongAudience = "wrong-aud",
    /// The `serial` claim of another database than the audience's.
    AudienceNotSerial = "aud-not-serial",
    /// Ended an hour ago.
    Expired = "expired",
    /// Good only in an hour.
    NotYetValid = "not-yet-valid",
    /// The `ctx` claim of another tenant.
    OtherTenant = "other-tenant",
    /// No ticket claim.
    MissingTicket = "missing-ticket",
    /// The ticket claim is empty.
    EmptyTicket = "empty-ticket",
    /// The end is cut off, so that what is left of the signature still reads.
    Truncated = "truncated",
    /// Megabytes of one claim, rightly signed.
    Huge = "huge",
    /// `exp` and `nbf` are JSON strings.
    NumbersAsStrings = "numbers-as-strings",
    /// Two `ctx` claims with different values.
    DuplicateKeys = "duplicate-keys",
    /// No `exp`.
    MissingExp = "missing-exp",
}
