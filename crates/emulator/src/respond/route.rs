//! What is served where, whatever the case of a path.

use axum::http::Method;

use crate::codec::Codec;
use crate::faults::Scope;
use crate::log::Kind;

/// Where a request goes.
#[derive(Clone, PartialEq)]
pub(super) enum Route {
    Exchange(Codec),
    /// What the SOAP service says of itself.
    Description,
    Discovery,
    Jwks,
    State(String),
    Api(String),
    /// How often what came of requests: the emulator's own.
    Statistics,
    None,
}

/// What a port serves: the login service lives on one port only, and tenants on any.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Site {
    LoginAndTenants,
    Tenants,
}

impl Route {
    /// The route of `path` on `site`.
    pub(super) fn of(method: &Method, path: &str, site: Site) -> Self {
        let is_login = site == Site::LoginAndTenants;
        let lower = path.to_ascii_lowercase();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match lower.as_str() {
            "/login/api/partnersystemuser/authenticate" if is_login => Self::Exchange(Codec::Rest),
            "/login/services/partnersystemuserservice.svc" if is_login => {
                if method == Method::GET {
                    Self::Description
                } else {
                    Self::Exchange(Codec::Soap)
                }
            }
            "/login/.well-known/openid-configuration" if is_login => Self::Discovery,
            "/login/.well-known/jwks" if is_login => Self::Jwks,
            "/emulator/statistics" if is_login && method == Method::GET => Self::Statistics,
            _ if is_login && lower.starts_with("/api/state/") && parts.len() == 3 => {
                Self::State(parts[2].to_owned())
            }
            _ if lower.ends_with("/api/v1/user/currentprincipal") && parts.len() == 5 => {
                Self::Api(parts[0].to_owned())
            }
            _ => Self::None,
        }
    }

    /// Where faults find it.
    pub(super) fn scope(&self) -> Option<Scope> {
        match self {
            Self::Exchange(_) => Some(Scope::Exchange),
            Self::Discovery => Some(Scope::Discovery),
            Self::Jwks => Some(Scope::Jwks),
            Self::State(_) => Some(Scope::State),
            Self::Api(_) => Some(Scope::Api),
            Self::Description | Self::Statistics | Self::None => None,
        }
    }

    /// The tenant that its path names.
    pub(super) fn context(&self) -> Option<&str> {
        match self {
            Self::State(context) | Self::Api(context) => Some(context),
            _ => None,
        }
    }

    /// How it is counted.
    pub(super) fn kind(&self) -> Kind {
        if matches!(self, Self::Exchange(_)) { Kind::Exchange } else { Kind::Other }
    }

    /// The one method that it answers.
    pub(super) fn method(&self) -> Method {
        if matches!(self, Self::Exchange(_)) { Method::POST } else { Method::GET }
    }
}
