//! Where a Redis is, from a URL whose password is never repeated.

use redis::{Client, IntoConnectionInfo as _, RedisError, TlsCertificates};
use soticket_core::store::{StoreError, StoreErrorKind};
use url::{Host, Url};

use super::options::{PlainNetwork, RedisStoreOptions};

/// A client that is not connected, and where it will connect to.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) client: Client,
    /// For people, without user and password.
    pub(crate) place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Plain,
    Tls,
    Socket,
}

pub(crate) fn parse(url: &str, options: &RedisStoreOptions) -> Result<Address, StoreError> {
    // Neither the text nor what the parsers say of it, which may quote it, is for others.
    let url = Url::parse(url).map_err(|_| refused(FORM))?;
    let transport = match url.scheme() {
        "rediss" | "valkeys" => Transport::Tls,
        "redis" | "valkey" => Transport::Plain,
        "unix" | "redis+unix" | "valkey+unix" => Transport::Socket,
        _ => return Err(refused(FORM)),
    };
    if url.fragment().is_some() {
        return Err(refused("its part after `#` has no meaning; there is no way not to check certificates"));
    }
    if transport == Transport::Plain && !is_local(&url) && options.plain_network != PlainNetwork::Trusted {
        return Err(refused(
            "the password would cross the network in the clear; write `rediss://`, or say that the network is \
             trusted (RedisStoreOptions::with_plain_network)",
        ));
    }
    let place = place(&url, transport);
    client(url, transport, options).map(|client| Address { client, place })
}

fn client(url: Url, transport: Transport, options: &RedisStoreOptions) -> Result<Client, StoreError> {
    let parsed = url.into_connection_info().map_err(|_| refused(FORM))?;
    match (&options.root_certificates, transport) {
        (Some(pem), Transport::Tls) => {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) };
            Client::build_with_tls(parsed, certificates).map_err(unusable_certificates)
        }
        _ => Client::open(parsed).map_err(|_| refused(FORM)),
    }
}

fn place(url: &Url, transport: Transport) -> String {
    if transport == Transport::Socket {
        return url.path().to_owned();
    }
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or(DEFAULT_PORT))
}

fn is_local(url: &Url) -> bool {
    // Its host is text to the parser, which knows nothing of this scheme.
    let host = url.host_str().and_then(|host| Host::parse(host).ok());
    match host {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

fn refused(why: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, format!("the URL of the Redis is not taken: {why}"))
}

fn unusable_certificates(cause: RedisError) -> StoreError {
    let message = "the certificates for the Redis cannot be read; give those of its authority in PEM";
    StoreError::new(StoreErrorKind::Configuration, message).with_source(cause)
}

const FORM: &str = "it has to be like `rediss://user:password@host:6379/0`";

/// Redis's own.
const DEFAULT_PORT: u16 = 6379;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_default(url: &str) -> Result<String, String> {
        parse(url, &RedisStoreOptions::new())
            .map(|address| address.place)
            .map_err(|error| format!("{error} {error:?}"))
    }

    #[test]
    fn a_redis_on_this_machine_or_with_tls_is_taken() {
        for (url, place) in [
            ("redis://localhost", "localhost:6379"),
            ("redis://user:pw@127.0.0.1:7000/3", "127.0.0.1:7000"),
            ("redis://[::1]:7000", "[::1]:7000"),
            ("valkey://127.3.2.1", "127.3.2.1:6379"),
            ("rediss://user:pw@redis.example:7000", "redis.example:7000"),
            ("unix:///run/redis.sock?db=2", "/run/redis.sock"),
        ] {
            assert_eq!(parse_default(url).unwrap(), place);
        }
    }

    #[test]
    fn a_password_crosses_no_network_in_the_clear_unless_it_is_said() {
        for url in [
            "redis://:pw@redis.example",
            "redis://10.0.0.1",
            "redis://localhost.example",
            "redis://[2001:db8::1]",
        ] {
            assert!(parse_default(url).unwrap_err().contains("rediss://"), "{url}");
            let trusted = RedisStoreOptions::new().with_plain_network(PlainNetwork::Trusted);
            parse(url, &trusted).unwrap();
        }
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        for url in [
            "hunter2",
            "http://:hunter2@localhost",
            "redis://:hunter2@",
            "redis://:hunter2@localhost:port",
            "redis://:hunter2@localhost/hunter2",
            "redis://:hunter2@localhost?protocol=hunter2",
            "rediss://:hunter2@redis.example#insecure",
            "redis://:hunter2@redis.example",
        ] {
            let error = parse_default(url).unwrap_err();
            assert!(error.contains("URL of the Redis") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_read_are_told() {
        let pem = "-----BEGIN CERTIFICATE-----\nnot Base64 at all!\n-----END CERTIFICATE-----\n";
        let options = RedisStoreOptions::new().with_root_certificates(pem);
        let error = parse("rediss://redis.example", &options).unwrap_err();
        assert!(error.to_string().contains("certificates"), "{error}");
    }
}
