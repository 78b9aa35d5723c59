//! A ticket as it is printed.

use serde_json::{Value, json};
use soticket::{SystemUserClient, SystemUserTicket, Tenant};

use crate::output::shell_quoted;

pub(super) fn as_json(client: &SystemUserClient, tenant: &Tenant, ticket: &SystemUserTicket) -> Value {
    let claims = ticket.claims();
    json!({
        "context": tenant.context().as_str(),
        "environment": client.environment().to_string(),
        "ticket": ticket.expose(),
        "issued_at": ticket.issued_at().to_string(),
        "expires_at": ticket.expires_at().to_string(),
        "webapi_url": claims.webapi_url().map(String::from),
        "netserver_url": claims.netserver_url().map(String::from),
        "clock_skew_seconds": ticket.clock_skew().map(|skew| skew.seconds()),
        "claims": claims.all(),
    })
}

pub(super) fn as_headers(ticket: &SystemUserTicket) -> String {
    // Both values were made of text, so that they are text again.
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let authorization = text(ticket.authorization_header().as_bytes());
    let app_token = text(ticket.app_token_header().as_bytes());
    format!("Authorization: {authorization}\nSO-AppToken: {app_token}\n")
}

pub(super) fn as_variables(tenant: &Tenant, ticket: &SystemUserTicket) -> String {
    let url = ticket.claims().webapi_url().map(String::from).unwrap_or_default();
    let expires_at = ticket.expires_at().to_string();
    [
        ("SOTICKET_CONTEXT", tenant.context().as_str()),
        ("SOTICKET_TICKET", ticket.expose()),
        ("SOTICKET_TICKET_EXPIRES_AT", &expires_at),
        ("SOTICKET_WEBAPI_URL", &url),
    ]
    .iter()
    .map(|(name, value)| format!("{name}={}\n", shell_quoted(value)))
    .collect()
}
