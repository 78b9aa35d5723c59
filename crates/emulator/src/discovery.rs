//! The discovery document, the key set and tenants' states.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::faults::Fault;
use crate::keys::LoginKey;
use crate::shared::Shared;
use crate::tenant::TenantState;

pub(crate) fn document(origin: &str) -> Value {
    json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/login/common/oauth/authorize"),
        "token_endpoint": format!("{origin}/login/common/oauth/tokens"),
        "jwks_uri": format!("{origin}/login/.well-known/jwks"),
        "response_types_supported": ["code", "id_token", "code id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
    })
}

pub(crate) fn key_set(keys: &[Arc<LoginKey>]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

pub(crate) fn garbage_key_set() -> Value {
    json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "garbage", "n": "!", "e": ""}, {"kty": 7}]})
}

/// The state of a tenant; of one that is not known, `Unknown` without an address.
pub(crate) fn state(shared: &Shared, context: &str, host: &str, fault: Option<&Fault>) -> Value {
    let found =
        shared.tenant(context, |tenant| (tenant.config.context.clone(), tenant.config.state, tenant.port));
    let valid_until =
        shared.ends(shared.config.lifetimes.state).strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string();
    let (context, state, endpoint) = match found {
        Some((context, state, port)) => {
            let endpoint = format!("{}/{context}", shared.origin(host, port));
            (context, state, Some(endpoint))
        }
        None => (context.to_owned(), TenantState::Unknown, None),
    };
    let version = format!("Release_{}", shared.config.environment.as_deref().unwrap_or("emulator"));
    let api = match fault {
        Some(Fault::OtherAddress { api }) => Some(api.clone()),
        _ => endpoint.as_ref().map(|endpoint| format!("{endpoint}/api")),
    };
    json!({
        "ContextIdentifier": context, "Endpoint": endpoint, "State": format!("{state:?}"),
        "IsRunning": state.is_running(), "ValidUntil": valid_until,
        "Api": api, "Version": version,
    })
}
