//! Under what a ticket is kept: a name that tells nothing.

use std::fmt;

use aws_lc_rs::hmac;

use crate::client_secret::ClientSecret;
use crate::environment::Environment;
use crate::tenant::Tenant;

/// Names the tickets of one application for one tenant of one environment, by its approval of now.
///
/// It is an HMAC-SHA256 of the environment, the context identifier and the system user token under the client secret:
/// it can be shown, none of them can be got out of it, and with another of any of them it is another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketKey([u8; Self::LENGTH]);

impl TicketKey {
    /// Its length in bytes.
    pub const LENGTH: usize = 32;

    /// The key of `tenant` in `environment`, for the application that `client_secret` belongs to.
    #[must_use]
    pub fn new(environment: &Environment, client_secret: &ClientSecret, tenant: &Tenant) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, client_secret.expose().as_bytes());
        let mut context = hmac::Context::with_key(&key);
        // Case does not tell two tenants apart.
        let name = tenant.context().as_str().to_ascii_lowercase();
        for part in [PURPOSE, &environment.base_url(), &name, tenant.system_user_token().expose()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut bytes = [0; Self::LENGTH];
        bytes.copy_from_slice(context.sign().as_ref());
        Self(bytes)
    }

    /// The bytes of it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// In lower-case hexadecimal.
impl fmt::Display for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketKey({self})")
    }
}

const PURPOSE: &str = "soticket ticket key 1";

#[cfg(test)]
mod tests {
    use super::*;

    fn key(environment: &str, secret: &str, context: &str, token: &str) -> TicketKey {
        let tenant = Tenant::new(context.parse().unwrap(), token.parse().unwrap());
        TicketKey::new(&environment.parse().unwrap(), &secret.parse().unwrap(), &tenant)
    }

    #[test]
    fn whatever_differs_makes_another_key_but_for_the_case_of_the_context() {
        let one = key("sod", "secret", "Cust1", "App-1");
        assert_eq!(one, key("sod", "secret", "cUST1", "App-1"));
        assert_ne!(one, key("online", "secret", "Cust1", "App-1"));
        assert_ne!(one, key("sod", "other", "Cust1", "App-1"));
        assert_ne!(one, key("sod", "secret", "Cust2", "App-1"));
        assert_ne!(one, key("sod", "secret", "Cust1", "App-2"));
        assert_ne!(key("sod", "secret", "Cust1", "1App"), key("sod", "secret", "Cust11", "App"));
    }

    #[test]
    fn it_is_written_in_hexadecimal() {
        let text = key("sod", "secret", "Cust1", "App-1").to_string();
        assert!(text.len() == 2 * TicketKey::LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
