//! Which addresses a ticket may be sent to, and what of them a caller may choose.

use url::Url;

use super::error::ApiError;
use crate::environment::{Environment, is_loopback};
use crate::error::Error;
use crate::jwt::TrustRule;
use crate::tenant::ContextIdentifier;

/// The base of a tenant's API, with a slash at its end, if a ticket may be sent there.
pub(crate) fn trusted(
    text: &str,
    context: &ContextIdentifier,
    environment: &Environment,
) -> Result<Url, Error> {
    let refused = |why: &str| {
        let message = format!(
            "the state of {context} names an address that no ticket is sent to: {why}; check the environment and any proxy between"
        );
        Error::untrusted(TrustRule::TenantAddress, message)
    };
    let mut url = Url::parse(text).map_err(|_| refused("it is no URL"))?;
    if !is_allowed_host(&url, environment) {
        return Err(refused(match environment {
            Environment::Custom(_) if environment.is_loopback() => "it is neither https nor on this machine",
            Environment::Custom(_) => "it is not https",
            _ => "it is not https and under superoffice.com",
        }));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it holds a query or a fragment"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn is_allowed_host(url: &Url, environment: &Environment) -> bool {
    let is_https = url.scheme() == "https";
    match environment {
        Environment::Custom(_) if environment.is_loopback() => {
            is_https || url.scheme() == "http" && is_loopback(url)
        }
        Environment::Custom(_) => is_https && url.host().is_some(),
        _ => {
            let is_superoffice = url.domain().is_some_and(|name| name.ends_with(".superoffice.com"));
            is_https && is_superoffice && url.port().is_none()
        }
    }
}

/// Refuses a path that does not lead below whatever base there is.
pub(crate) fn check(path: &str) -> Result<(), ApiError> {
    find_fault(path).map_err(|why| {
        ApiError::configuration(format!(
            "the path {why}; give what follows the base of the tenant's API, such as `v1/User/currentPrincipal`"
        ))
    })
}

/// `path` below `base`, and nowhere else.
pub(crate) fn join(base: &Url, path: &str) -> Result<Url, ApiError> {
    check(path)?;
    match base.join(path) {
        Ok(url) if is_same_place(&url, base) && url.path().starts_with(base.path()) => Ok(url),
        _ => Err(ApiError::configuration("the path leaves the base of the tenant's API; give one below it")),
    }
}

/// Whether both have the same scheme, host and port, and no user.
pub(crate) fn is_same_place(url: &Url, other: &Url) -> bool {
    url.origin() == other.origin() && url.username().is_empty() && url.password().is_none()
}

/// What could be understood in another way by somebody behind.
fn find_fault(path: &str) -> Result<(), &'static str> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if path.chars().chain(query.chars()).any(|c| c.is_control() || c == ' ') {
        return Err("holds white space or a control character; encode it");
    }
    if path.contains('#') || query.contains('#') {
        return Err("holds a `#`; encode it as %23");
    }
    if path.contains('\\') {
        return Err("holds a backslash");
    }
    if path.starts_with('/') {
        return Err("begins with a slash");
    }
    if path.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err("is an address of its own");
    }
    if leaves(path) {
        return Err("leaves the base of the tenant's API with `..`");
    }
    Ok(())
}

/// Whether it climbs higher than it began, also for a server that decodes slashes first.
fn leaves(path: &str) -> bool {
    let decoded = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    let mut depth = 0_i32;
    decoded.split('/').any(|segment| {
        depth += match segment {
            ".." => -1,
            "." | "" => 0,
            _ => 1,
        };
        depth < 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ApiErrorKind;

    fn trust(text: &str, environment: &str) -> Result<String, Error> {
        let context = "Cust12345".parse().unwrap();
        trusted(text, &context, &environment.parse().unwrap()).map(String::from)
    }

    #[test]
    fn the_known_environments_send_tickets_to_superoffice_over_tls_only() {
        for environment in ["sod", "qaonline", "online"] {
            let good = trust("https://online2.superoffice.com/Cust12345/api", environment);
            assert_eq!(good.unwrap(), "https://online2.superoffice.com/Cust12345/api/");
            for bad in [
                "http://online2.superoffice.com/Cust12345/api",
                "https://online2.superoffice.com.example.com/Cust12345/api",
                "https://evilsuperoffice.com/api",
                "https://superoffice.com@example.com/api",
                "https://user@online2.superoffice.com/api",
                "https://online2.superoffice.com:8443/api",
                "https://online2.superoffice.com/api?a=b",
                "https://online2.superoffice.com/api#a",
                "https://127.0.0.1/api",
                "ftp://online2.superoffice.com/api",
                "online2.superoffice.com/api",
                "//online2.superoffice.com/api",
            ] {
                let error = trust(bad, environment).unwrap_err();
                let expected = &crate::ErrorKind::Untrusted(TrustRule::TenantAddress);
                assert_eq!(error.kind(), expected, "{bad}");
                assert!(!error.to_string().contains(bad), "{error}");
            }
        }
    }

    #[test]
    fn an_environment_of_ones_own_wants_https_or_is_this_machine() {
        let own = "https://crm.example.com";
        assert!(trust("https://crm2.example.com/api", own).is_ok());
        assert!(trust("http://crm2.example.com/api", own).is_err());
        assert!(trust("http://127.0.0.1/api", own).is_err());
        let here = "http://127.0.0.1:8080";
        assert!(trust("http://127.0.0.1:9/Cust12345/api", here).is_ok());
        assert!(trust("https://localhost:9/Cust12345/api", here).is_ok());
        assert!(trust("http://crm.example.com/api", here).is_err());
    }

    fn joined(path: &str) -> Result<String, ApiError> {
        let base = Url::parse("https://online2.superoffice.com/Cust12345/api/").unwrap();
        join(&base, path).map(String::from)
    }

    #[test]
    fn paths_stay_below_the_base() {
        let base = "https://online2.superoffice.com/Cust12345/api/";
        for (path, expected) in [
            ("v1/User/currentPrincipal", "v1/User/currentPrincipal"),
            (
                "v1/Contact?$select=name&$filter=a%20eq%20'b:/\\c'",
                "v1/Contact?$select=name&$filter=a%20eq%20%27b:/\\c%27",
            ),
            ("v1/Contact/../Person/5", "v1/Person/5"),
            ("v1/Document/a%2Fb", "v1/Document/a%2Fb"),
            ("v1/Agents/a:b", "v1/Agents/a:b"),
            ("", ""),
        ] {
            assert_eq!(joined(path).unwrap(), format!("{base}{expected}"), "{path}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused_and_not_repeated() {
        for path in [
            "https://example.com/",
            "https:evil",
            "HTTP://example.com",
            "mailto:hush",
            "//example.com/hush",
            "/v1/User",
            "\\\\example.com",
            "v1\\..\\..\\hush",
            "../Cust54321/api/v1/User",
            "v1/../../hush",
            "v1/%2e%2E/%2e./hush",
            "v1/..%2f..%2Fhush",
            "v1/..%5c..%5Chush",
            "\t//example.com",
            "v1/User\n",
            " v1/User",
            "v1/User#hush",
            "v1/User?a=b c",
        ] {
            let error = joined(path).unwrap_err();
            assert_eq!(error.kind(), &ApiErrorKind::Configuration, "{path}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }
}
