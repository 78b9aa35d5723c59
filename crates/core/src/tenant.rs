//! Whose ticket is asked for: the context identifier of a tenant, and its system user token.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::system_token::SystemUserToken;

/// A tenant's name in SuperOffice CRM Online, such as `Cust12345`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContextIdentifier(Box<str>);

impl ContextIdentifier {
    /// The longest identifier that is taken, in bytes.
    pub const MAX_LENGTH: usize = 64;

    /// The identifier as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `claim` names this tenant. Case does not count: no two tenants differ by it alone.
    pub(crate) fn is_named_by(&self, claim: &str) -> bool {
        self.0.eq_ignore_ascii_case(claim)
    }
}

impl fmt::Display for ContextIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ContextIdentifier {
    type Err = ParseContextIdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use ParseContextIdentifierError as E;
        let wanted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        match text.chars().find(|c| !wanted(*c)) {
            _ if text.is_empty() => Err(E::Empty),
            _ if text.len() > Self::MAX_LENGTH => Err(E::TooLong),
            Some(character) => Err(E::Character(character)),
            None => Ok(Self(text.into())),
        }
    }
}

/// Why a text is no context identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseContextIdentifierError {
    /// Nothing at all.
    #[error("the context identifier is empty; it looks like Cust12345")]
    Empty,
    /// Longer than [`ContextIdentifier::MAX_LENGTH`].
    #[error(
        "the context identifier is longer than {} bytes; it looks like Cust12345",
        ContextIdentifier::MAX_LENGTH
    )]
    TooLong,
    /// Something else than ASCII letters, digits, `-` and `_`.
    #[error(
        "the context identifier holds {0:?}; it looks like Cust12345, with letters, digits, `-` and `_` only"
    )]
    Character(char),
}

/// A tenant that has approved the application.
#[derive(Debug, Clone)]
pub struct Tenant {
    context: ContextIdentifier,
    system_user_token: SystemUserToken,
}

impl Tenant {
    /// The tenant `context`, with the system user token that its administrator's approval gave.
    #[must_use]
    pub fn new(context: ContextIdentifier, system_user_token: SystemUserToken) -> Self {
        Self { context, system_user_token }
    }

    /// Its name.
    #[must_use]
    pub fn context(&self) -> &ContextIdentifier {
        &self.context
    }

    /// What its administrator granted.
    #[must_use]
    pub fn system_user_token(&self) -> &SystemUserToken {
        &self.system_user_token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_identifiers_parse_at_the_edge() {
        use ParseContextIdentifierError as E;
        let parse = str::parse::<ContextIdentifier>;
        assert_eq!(parse("Cust12345").unwrap().as_str(), "Cust12345");
        assert_eq!(parse(""), Err(E::Empty));
        assert_eq!(parse("Cust/12345"), Err(E::Character('/')));
        assert_eq!(parse("Cust12345\n"), Err(E::Character('\n')));
        assert_eq!(parse(&"C".repeat(65)), Err(E::TooLong));
    }

    #[test]
    fn a_claim_names_a_tenant_in_any_case_but_not_by_prefix() {
        let tenant: ContextIdentifier = "Cust12345".parse().unwrap();
        assert!(tenant.is_named_by("cust12345"));
        assert!(!tenant.is_named_by("Cust1234"));
        assert!(!tenant.is_named_by("Cust12345 "));
    }
}
