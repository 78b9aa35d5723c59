//! The claims that came with a ticket: those that SuperOffice documents by name, and all others as they came.

use serde_json::{Map, Value};
use url::Url;

use crate::jwt::CLAIM_PREFIX;
use crate::secret::SecretText;

/// What a validated JWT says of the system user and the tenant, but for the ticket.
///
/// SuperOffice writes mostly strings, also where a claim is a number; an accessor answers `None` where a claim
/// is missing or does not read as its type, and [`Claims::all`] shows it as it came.
#[derive(Debug, Clone)]
pub struct Claims {
    map: Map<String, Value>,
    system_token: Option<SecretText>,
}

impl Claims {
    pub(crate) fn new(mut map: Map<String, Value>) -> Self {
        let system_token = match map.remove(&format!("{CLAIM_PREFIX}system_token")) {
            Some(Value::String(token)) => Some(SecretText::new(token)),
            _ => None,
        };
        Self { map, system_token }
    }

    /// What was taken apart by [`new`](Self::new) once.
    pub(crate) fn restored(map: Map<String, Value>, system_token: Option<SecretText>) -> Self {
        Self { map, system_token }
    }

    /// Every claim under its full name, as it came, but for the ticket and the system user token.
    #[must_use]
    pub fn all(&self) -> &Map<String, Value> {
        &self.map
    }

    /// The text of the claim `name` of SuperOffice's namespace, such as `ctx`.
    #[must_use]
    pub fn identity(&self, name: &str) -> Option<&str> {
        self.map.get(&format!("{CLAIM_PREFIX}{name}"))?.as_str()
    }

    /// `ctx`: the tenant.
    #[must_use]
    pub fn context_identifier(&self) -> Option<&str> {
        self.identity("ctx")
    }

    /// `serial`: the serial number of the tenant's database.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        self.identity("serial")
    }

    /// `netserver_url`: the base of the tenant's SOAP services, as of the exchange.
    #[must_use]
    pub fn netserver_url(&self) -> Option<Url> {
        self.url("netserver_url")
    }

    /// `webapi_url`: the base of the tenant's REST API, as of the exchange; it changes as a matter of course.
    #[must_use]
    pub fn webapi_url(&self) -> Option<Url> {
        self.url("webapi_url")
    }

    /// `associateid`: the system user's number in the tenant.
    #[must_use]
    pub fn associate_id(&self) -> Option<i64> {
        self.number("associateid")
    }

    /// `personid`: the number of the system user's person.
    #[must_use]
    pub fn person_id(&self) -> Option<i64> {
        self.number("personid")
    }

    /// `company_id`: the number of the tenant's own company.
    #[must_use]
    pub fn company_id(&self) -> Option<i64> {
        self.number("company_id")
    }

    /// `company_name`: the tenant's own company.
    #[must_use]
    pub fn company_name(&self) -> Option<&str> {
        self.identity("company_name")
    }

    /// `is_administrator`.
    #[must_use]
    pub fn is_administrator(&self) -> Option<bool> {
        match self.map.get(&format!("{CLAIM_PREFIX}is_administrator"))? {
            Value::Bool(value) => Some(*value),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }

    /// `firstname` of the system user.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.identity("firstname")
    }

    /// `lastname` of the system user.
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.identity("lastname")
    }

    /// `initials` of the system user.
    #[must_use]
    pub fn initials(&self) -> Option<&str> {
        self.identity("initials")
    }

    /// `email` of the system user.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.identity("email")
    }

    /// `so_primary_email_address` of the system user.
    #[must_use]
    pub fn primary_email_address(&self) -> Option<&str> {
        self.identity("so_primary_email_address")
    }

    /// `upn`: the user principal name.
    #[must_use]
    pub fn user_principal_name(&self) -> Option<&str> {
        self.identity("upn")
    }

    /// `superid-upn`: the user principal name in SuperOffice's identity service.
    #[must_use]
    pub fn super_id_user_principal_name(&self) -> Option<&str> {
        self.identity("superid-upn")
    }

    /// `identityprovider`: who vouched for the user.
    #[must_use]
    pub fn identity_provider(&self) -> Option<&str> {
        self.identity("identityprovider")
    }

    /// `secondaryidentityprovider`.
    #[must_use]
    pub fn secondary_identity_provider(&self) -> Option<&str> {
        self.identity("secondaryidentityprovider")
    }

    /// `tenantId`.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&str> {
        self.identity("tenantId")
    }

    /// `system_token`: the system user token, should the service repeat it.
    #[must_use]
    pub fn system_user_token(&self) -> Option<&SecretText> {
        self.system_token.as_ref()
    }

    fn number(&self, name: &str) -> Option<i64> {
        match self.map.get(&format!("{CLAIM_PREFIX}{name}"))? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn url(&self, name: &str) -> Option<Url> {
        Url::parse(self.identity(name)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(members: Value) -> Claims {
        let members = members.as_object().unwrap().clone();
        Claims::new(
            members.into_iter().map(|(name, value)| (CLAIM_PREFIX.to_owned() + &name, value)).collect(),
        )
    }

    #[test]
    fn numbers_and_truth_values_read_from_strings_and_from_themselves() {
        let strings = claims(json!({"associateid": "5", "company_id": "7", "is_administrator": "True"}));
        assert_eq!(strings.associate_id(), Some(5));
        assert_eq!(strings.company_id(), Some(7));
        assert_eq!(strings.is_administrator(), Some(true));
        let plain = claims(json!({"associateid": 5, "is_administrator": false}));
        assert_eq!(plain.associate_id(), Some(5));
        assert_eq!(plain.is_administrator(), Some(false));
    }

    #[test]
    fn what_does_not_read_is_none_and_still_shown() {
        let odd = claims(json!({"associateid": "five", "webapi_url": "::", "new_claim": [1]}));
        assert_eq!(odd.associate_id(), None);
        assert_eq!(odd.webapi_url(), None);
        assert_eq!(odd.email(), None);
        assert_eq!(odd.all().len(), 3);
    }

    #[test]
    fn the_system_user_token_is_kept_apart_as_a_secret() {
        let claims = claims(json!({"system_token": "My App-pzqc70604i", "ctx": "Cust12345"}));
        assert_eq!(claims.system_user_token().unwrap().expose(), "My App-pzqc70604i");
        assert!(!format!("{claims:?}").contains("pzqc70604i"));
    }
}
