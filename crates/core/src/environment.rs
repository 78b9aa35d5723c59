//! Which login service is asked: SuperOffice's three environments, or another address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

use crate::tenant::ContextIdentifier;

/// A SuperOffice environment, or a stand-in for one.
///
/// Authentication uses only the hosts below; numbered hosts such as `online3.superoffice.com` serve a
/// tenant's API data and are refused here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Environment {
    /// Development, `sod.superoffice.com`.
    Sod,
    /// Stage, `qaonline.superoffice.com`; older texts say `stage` or `qastage`.
    QaOnline,
    /// Production, `online.superoffice.com`.
    Online,
    /// Another address, such as an emulator on loopback.
    Custom(CustomEnvironment),
}

impl Environment {
    /// The origin of the login service, without a path.
    #[must_use]
    pub fn base_url(&self) -> String {
        match self {
            Self::Sod => "https://sod.superoffice.com".into(),
            Self::QaOnline => "https://qaonline.superoffice.com".into(),
            Self::Online => "https://online.superoffice.com".into(),
            Self::Custom(custom) => custom.0.origin().ascii_serialization(),
        }
    }

    /// Where the REST exchange is posted.
    #[must_use]
    pub fn rest_exchange_url(&self) -> String {
        self.base_url() + "/Login/api/PartnerSystemUser/Authenticate"
    }

    /// Where the SOAP exchange is posted; `?wsdl` behind it describes the service.
    #[must_use]
    pub fn soap_exchange_url(&self) -> String {
        self.base_url() + "/login/services/PartnerSystemUserService.svc"
    }

    /// The OpenID Connect discovery document, which names the JWKS.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        self.base_url() + "/login/.well-known/openid-configuration"
    }

    /// Where a tenant's state and API address are told, without credentials.
    #[must_use]
    pub fn tenant_state_url(&self, context: &ContextIdentifier) -> String {
        format!("{}/api/state/{context}", self.base_url())
    }

    /// Whether the service runs on this machine, where plain HTTP is allowed and no proxy is used.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        matches!(self, Self::Custom(CustomEnvironment(url)) if is_loopback(url))
    }

    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sod" | "development" => Some(Self::Sod),
            "qaonline" | "stage" | "qastage" => Some(Self::QaOnline),
            "online" | "production" => Some(Self::Online),
            _ => None,
        }
    }
}

/// The name of a known environment, or the URL of another.
impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sod => f.write_str("sod"),
            Self::QaOnline => f.write_str("qaonline"),
            Self::Online => f.write_str("online"),
            Self::Custom(_) => f.write_str(&self.base_url()),
        }
    }
}

impl FromStr for Environment {
    type Err = ParseEnvironmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use ParseEnvironmentError as E;
        if text.is_empty() {
            return Err(E::Empty);
        }
        if let Some(environment) = Self::named(text) {
            return Ok(environment);
        }
        if !text.contains("://") {
            return Err(E::UnknownName);
        }
        let url = Url::parse(text).map_err(E::Url)?;
        match url.host_str().and_then(|host| host.strip_suffix(".superoffice.com")) {
            Some(name) => known_host(name, &url),
            None => CustomEnvironment::new(url).map(Self::Custom),
        }
    }
}

fn known_host(name: &str, url: &Url) -> Result<Environment, ParseEnvironmentError> {
    let custom = CustomEnvironment::new(url.clone())?;
    match name {
        "sod" | "qaonline" | "online" if url.port().is_none() => {
            Environment::named(name).ok_or(ParseEnvironmentError::UnknownName)
        }
        "sod" | "qaonline" | "online" => Ok(Environment::Custom(custom)),
        _ => Err(ParseEnvironmentError::NotALoginHost(format!("{name}.superoffice.com"))),
    }
}

/// The origin of a login service that is none of SuperOffice's own three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEnvironment(Url);

impl CustomEnvironment {
    /// Takes an `https` URL, or an `http` URL of this machine, without path, query, fragment and user.
    ///
    /// # Errors
    /// When the URL is none of these.
    pub fn new(url: Url) -> Result<Self, ParseEnvironmentError> {
        use ParseEnvironmentError as E;
        match url.scheme() {
            _ if url.host().is_none() => Err(E::Scheme(url.scheme().into())),
            "http" if !is_loopback(&url) => Err(E::PlainHttp),
            "http" | "https" if !url.username().is_empty() || url.password().is_some() => Err(E::Credentials),
            "http" | "https" if url.path() != "/" => Err(E::Path(url.path().into())),
            "http" | "https" if url.query().is_some() || url.fragment().is_some() => Err(E::QueryOrFragment),
            "http" | "https" => Ok(Self(url)),
            other => Err(E::Scheme(other.into())),
        }
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Why a text is no environment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseEnvironmentError {
    /// Nothing at all.
    #[error("the environment is empty; use sod, qaonline, online or a URL")]
    Empty,
    /// Neither a known name nor a URL.
    #[error("unknown environment; use sod, qaonline, online or a URL that begins with https://")]
    UnknownName,
    /// Not a URL.
    #[error("the environment is no URL")]
    Url(#[source] url::ParseError),
    /// Neither `https` nor `http`.
    #[error("the environment's URL has the scheme `{0}`; use https")]
    Scheme(String),
    /// Plain HTTP to another machine.
    #[error("plain http is allowed to this machine only (127.0.0.1, [::1], localhost); use https")]
    PlainHttp,
    /// A user name or a password.
    #[error("the environment's URL holds a user name or a password; the login service takes none")]
    Credentials,
    /// A path, which the client adds by itself.
    #[error("the environment's URL has the path `{0}`; give the address of the login service only")]
    Path(String),
    /// A query or a fragment.
    #[error("the environment's URL has a query or a fragment; give the address of the login service only")]
    QueryOrFragment,
    /// A SuperOffice host that serves something else.
    #[error(
        "`{0}` does not authenticate; use sod, qaonline or online, since numbered hosts serve API data only"
    )]
    NotALoginHost(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Environment, ParseEnvironmentError> {
        text.parse()
    }

    #[test]
    fn names_old_names_and_hosts_select_the_three_environments() {
        for (texts, environment) in [
            (["sod", "development", "SOD", "https://sod.superoffice.com"], Environment::Sod),
            (["qaonline", "stage", "qastage", "https://qaonline.superoffice.com/"], Environment::QaOnline),
            (["online", "production", "Online", "https://online.superoffice.com:443"], Environment::Online),
        ] {
            for text in texts {
                assert_eq!(parse(text), Ok(environment.clone()), "{text}");
            }
        }
    }

    #[test]
    fn a_name_survives_printing_and_parsing() {
        for text in ["sod", "qaonline", "online", "http://127.0.0.1:8080", "https://localhost:8443"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        use ParseEnvironmentError as E;
        assert_eq!(parse(""), Err(E::Empty));
        assert_eq!(parse("prod"), Err(E::UnknownName));
        assert_eq!(parse("sod.superoffice.com"), Err(E::UnknownName));
        assert!(matches!(parse("https://[::1"), Err(E::Url(_))));
        assert_eq!(parse("ftp://localhost"), Err(E::Scheme("ftp".into())));
        assert_eq!(parse("http://example.com"), Err(E::PlainHttp));
        assert_eq!(parse("http://10.0.0.1:8080"), Err(E::PlainHttp));
        assert_eq!(parse("http://127.0.0.1.example.com"), Err(E::PlainHttp));
        assert_eq!(parse("http://sod.superoffice.com"), Err(E::PlainHttp));
        assert_eq!(parse("https://user@example.com"), Err(E::Credentials));
        assert_eq!(parse("https://example.com/login"), Err(E::Path("/login".into())));
        assert_eq!(parse("https://example.com/?a=b"), Err(E::QueryOrFragment));
        let numbered = parse("https://online3.superoffice.com");
        assert_eq!(numbered, Err(E::NotALoginHost("online3.superoffice.com".into())));
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for text in ["http://127.0.0.1:1", "http://127.8.9.1", "http://[::1]:1", "https://localhost"] {
            assert!(parse(text).unwrap().is_loopback(), "{text}");
        }
        assert!(!parse("https://example.com").unwrap().is_loopback());
        assert!(!Environment::Sod.is_loopback());
    }
}
