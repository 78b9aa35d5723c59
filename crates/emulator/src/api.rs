//! The tenant's API: who one is, for exactly the tickets that were issued.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::shared::{Shared, lock};

/// Answers `currentPrincipal` on `port`.
pub(crate) fn current_principal(
    shared: &Shared,
    context: &str,
    port: u16,
    headers: &HeaderMap,
) -> (StatusCode, Value) {
    let found =
        shared.tenant(context, |tenant| (tenant.config.context.clone(), tenant.config.state, tenant.port));
    let Some((context, state, lives_at)) = found else {
        return (StatusCode::NOT_FOUND, json!({"Message": "no such tenant"}));
    };
    if lives_at != port {
        return (
            StatusCode::MISDIRECTED_REQUEST,
            json!({"Message": "Wrong subdomain used to access tenant"}),
        );
    }
    if !state.is_running() {
        return (StatusCode::SERVICE_UNAVAILABLE, json!({"Message": format!("the tenant is {state:?}")}));
    }
    if !use_ticket(shared, &context, headers) {
        return (StatusCode::UNAUTHORIZED, json!({"Message": "Authentication failed"}));
    }
    (
        StatusCode::OK,
        json!({
            "AssociateId": 2, "Associate": "SYS", "UserType": "SystemUser", "ContextIdentifier": context,
            "IsPerson": false, "FullName": "System User",
        }),
    )
}

/// Whether the ticket is good; if so, its life starts anew.
fn use_ticket(shared: &Shared, context: &str, headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text(header::AUTHORIZATION).and_then(|value| value.split_once(' '));
    let Some((scheme, ticket)) = authorization else {
        return false;
    };
    let secret = text(header::HeaderName::from_static("so-apptoken")).unwrap_or_default();
    let mut tickets = lock(&shared.tickets);
    let Some(issued) = tickets.get_mut(ticket) else {
        return false;
    };
    let mut applications = shared.config.applications.iter();
    let good = scheme.eq_ignore_ascii_case("SOTicket")
        && issued.context == context
        && issued.ends > shared.clock.now()
        && applications.any(|app| app.name == issued.application && app.client_secret.is(secret));
    if good {
        issued.ends = shared.ends(shared.config.lifetimes.ticket);
    }
    good
}
