//! `awskms:` URIs: which key, in which Region, with whose credentials.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;
use url::{Host, Url};

use crate::key::{KmsKey, ParseKmsKeyError, is_region};

/// Names a key in AWS KMS: `awskms:///alias/partner?region=eu-central-1`.
///
/// Behind the three slashes stands what [`KmsKey`] takes. `region`, `profile` and `endpoint-url` may follow; what is not
/// said comes from the SDK's own sources: the environment, the shared configuration files, the machine's metadata. The
/// Region of an ARN goes before all of them.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKmsUri {
    key: KmsKey,
    region: Option<String>,
    profile: Option<String>,
    endpoint_url: Option<Url>,
}

impl AwsKmsUri {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &KmsKey {
        &self.key
    }

    /// The same, for another name of a key. The Region of an ARN goes before the one that was said.
    #[must_use]
    pub fn with_key(mut self, key: KmsKey) -> Self {
        self.region = key.region().map(str::to_owned).or(self.region);
        self.key = key;
        self
    }

    /// The Region, if the URI names one, by `region` or in an ARN.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The profile of the shared configuration files.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The endpoint instead of the Region's own: a VPC's, or a stand-in on loopback.
    #[must_use]
    pub fn endpoint_url(&self) -> Option<&Url> {
        self.endpoint_url.as_ref()
    }
}

impl FromStr for AwsKmsUri {
    type Err = ParseAwsKmsUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.split_once(':').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("awskms"));
        let (_, rest) = rest.ok_or(ParseAwsKmsUriError::OtherScheme)?;
        let rest = rest.strip_prefix("///").ok_or(ParseAwsKmsUriError::NoSlashes)?;
        let (key, query) = rest.split_once('?').unwrap_or((rest, ""));
        let key: KmsKey = decoded(key)?.parse()?;
        let Query { region, profile, endpoint_url } = Query::parse(query)?;
        let region = match (region, key.region()) {
            (Some(said), Some(of_arn)) if said != of_arn => {
                return Err(ParseAwsKmsUriError::Contradiction { said, of_arn: of_arn.to_owned() });
            }
            (said, of_arn) => of_arn.map(str::to_owned).or(said),
        };
        Ok(Self { key, region, profile, endpoint_url })
    }
}

impl fmt::Display for AwsKmsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "awskms:///{}", self.key)?;
        let region = self.region.as_deref().filter(|_| self.key.region().is_none());
        let attributes = [
            ("region", region.map(str::to_owned)),
            ("profile", self.profile.as_deref().map(|profile| encoded(profile, NON_ALPHANUMERIC))),
            ("endpoint-url", self.endpoint_url.as_ref().map(|url| encoded(url.as_str(), SPECIAL))),
        ];
        let said = attributes.into_iter().filter_map(|(name, value)| Some((name, value?)));
        for ((name, value), mark) in said.zip(std::iter::once('?').chain(std::iter::repeat('&'))) {
            write!(f, "{mark}{name}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for AwsKmsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsKmsUri({self})")
    }
}

/// Why a text is no `awskms:` URI that can be used. No value that was given is repeated, but for Regions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseAwsKmsUriError {
    /// It begins otherwise.
    #[error("a key in AWS KMS is named by a URI that begins with `awskms:///`")]
    OtherScheme,
    /// Fewer or more than three slashes.
    #[error("`awskms:` is followed by three slashes and the key, as in `awskms:///alias/partner`")]
    NoSlashes,
    /// Percent-encoded bytes that are no UTF-8.
    #[error("the percent-encoding is no UTF-8")]
    NotText,
    /// The part that names the key.
    #[error(transparent)]
    Key(#[from] ParseKmsKeyError),
    /// An attribute that there is not.
    #[error("there is no attribute `{0}`; there are `region`, `profile` and `endpoint-url`")]
    UnknownAttribute(String),
    /// An attribute twice.
    #[error("`{0}` is given twice")]
    Repeated(&'static str),
    /// An attribute without a value.
    #[error("`{0}` is empty; give it a value, or leave it out")]
    NoValue(&'static str),
    /// A name that no Region can have.
    #[error("`region` is no name of a Region; write it as `eu-central-1`")]
    Region,
    /// `region` says something else than the ARN.
    #[error("`region` says {said}, and the key's ARN says {of_arn}; leave `region` out, or correct the ARN")]
    Contradiction {
        /// The attribute.
        said: String,
        /// The Region in the ARN.
        of_arn: String,
    },
    /// An endpoint that is no URL, or one to which nothing may be sent.
    #[error(
        "`endpoint-url` is an https:// URL without user, query and fragment; http:// is for loopback alone, since \
         credentials would pass the network in the clear"
    )]
    EndpointUrl,
}

/// The attributes behind the question mark.
#[derive(Default)]
struct Query {
    region: Option<String>,
    profile: Option<String>,
    endpoint_url: Option<Url>,
}

impl Query {
    fn parse(query: &str) -> Result<Self, ParseAwsKmsUriError> {
        let mut parsed = Self::default();
        for attribute in query.split('&').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = decoded(value)?.into_owned();
            match decoded(name)?.as_ref() {
                "region" => set("region", &mut parsed.region, value, region)?,
                "profile" => set("profile", &mut parsed.profile, value, Ok)?,
                "endpoint-url" => set("endpoint-url", &mut parsed.endpoint_url, value, endpoint)?,
                other => return Err(ParseAwsKmsUriError::UnknownAttribute(other.to_owned())),
            }
        }
        Ok(parsed)
    }
}

fn set<T>(
    name: &'static str,
    place: &mut Option<T>,
    value: String,
    parse: impl FnOnce(String) -> Result<T, ParseAwsKmsUriError>,
) -> Result<(), ParseAwsKmsUriError> {
    if value.is_empty() {
        return Err(ParseAwsKmsUriError::NoValue(name));
    }
    match place.replace(parse(value)?) {
        Some(_) => Err(ParseAwsKmsUriError::Repeated(name)),
        None => Ok(()),
    }
}

fn region(text: String) -> Result<String, ParseAwsKmsUriError> {
    if is_region(&text) { Ok(text) } else { Err(ParseAwsKmsUriError::Region) }
}

fn endpoint(text: String) -> Result<Url, ParseAwsKmsUriError> {
    let url = Url::parse(&text).map_err(|_| ParseAwsKmsUriError::EndpointUrl)?;
    let has_more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if goes_safely(&url) && !has_more { Ok(url) } else { Err(ParseAwsKmsUriError::EndpointUrl) }
}

/// Whether what is sent there cannot be read on its way.
pub(crate) fn goes_safely(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(|host| is_loopback(&host)),
        _ => false,
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, ParseAwsKmsUriError> {
    percent_decode_str(text).decode_utf8().map_err(|_| ParseAwsKmsUriError::NotText)
}

fn encoded(text: &str, escaped: &'static AsciiSet) -> String {
    utf8_percent_encode(text, escaped).to_string()
}

/// What has a meaning of its own in a URI's query.
const SPECIAL: &AsciiSet = &CONTROLS.add(b'%').add(b'&').add(b'#').add(b' ');

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn parse(text: &str) -> Result<AwsKmsUri, ParseAwsKmsUriError> {
        text.parse()
    }

    #[test]
    fn a_uri_names_key_region_profile_and_endpoint() {
        let uri = parse("awskms:///alias/partner?region=eu-central-1&profile=my%20team&endpoint-url=http://127.0.0.1:4566")
            .unwrap();
        assert_eq!(uri.key().as_str(), "alias/partner");
        assert_eq!((uri.region(), uri.profile()), (Some("eu-central-1"), Some("my team")));
        assert_eq!(uri.endpoint_url().unwrap().as_str(), "http://127.0.0.1:4566/");
        assert_eq!(parse(&uri.to_string()).unwrap(), uri);
        let strange = parse("awskms:///a?endpoint-url=https://h/p%2526q%26r&profile=%26").unwrap();
        assert_eq!(parse(&strange.to_string()).unwrap(), strange);
        let bare = parse("AWSKMS:///1234abcd").unwrap();
        assert_eq!((bare.region(), bare.to_string()), (None, "awskms:///1234abcd".to_owned()));
    }

    #[test]
    fn the_region_of_an_arn_counts_and_may_be_repeated_and_not_contradicted() {
        assert_eq!(parse(&format!("awskms:///{ARN}")).unwrap().region(), Some("eu-west-1"));
        assert_eq!(
            parse(&format!("awskms:///{ARN}?region=eu-west-1")).unwrap().to_string(),
            format!("awskms:///{ARN}")
        );
        let contradiction = parse(&format!("awskms:///{ARN}?region=us-east-1")).unwrap_err();
        assert!(
            contradiction.to_string().contains("us-east-1")
                && contradiction.to_string().contains("eu-west-1")
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_guessed() {
        use ParseAwsKmsUriError as E;
        for (text, error) in [
            ("awskms:alias/partner", E::NoSlashes),
            ("awskms://alias/partner", E::NoSlashes),
            ("kms:///alias/partner", E::OtherScheme),
            ("awskms:///", E::Key(ParseKmsKeyError::Empty)),
            ("awskms:////alias/partner", E::Key(ParseKmsKeyError::Malformed)),
            ("awskms:///alias/partner?regoin=x", E::UnknownAttribute("regoin".to_owned())),
            ("awskms:///alias/partner?region=a&region=b", E::Repeated("region")),
            ("awskms:///alias/partner?region=", E::NoValue("region")),
            ("awskms:///alias/partner?profile", E::NoValue("profile")),
            ("awskms:///alias/partner?region=evil.example/", E::Region),
            ("awskms:///alias/%FF", E::NotText),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn credentials_go_to_nobody_in_the_clear() {
        for url in [
            "http://kms.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "ftp://127.0.0.1",
            "kms.example",
            "https://user:hunter2@kms.example",
            "https://kms.example/?a=b",
            "https://kms.example/#a",
        ] {
            let error =
                parse(&format!("awskms:///alias/partner?endpoint-url={}", encoded(url, NON_ALPHANUMERIC)))
                    .unwrap_err();
            assert_eq!(error, ParseAwsKmsUriError::EndpointUrl, "{url}");
            assert!(!error.to_string().contains("hunter2"));
        }
        for url in [
            "https://vpce-1.kms.eu-west-1.vpce.amazonaws.com",
            "http://localhost:1",
            "http://[::1]:1",
            "http://127.9.9.9",
        ] {
            assert!(parse(&format!("awskms:///alias/partner?endpoint-url={url}")).is_ok(), "{url}");
        }
    }
}
