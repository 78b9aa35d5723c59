//! The ways to name a key in AWS KMS.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Names a key: by id, by ARN, by alias (`alias/partner`) or by the alias's ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey(Name);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Id(String),
    Alias(String),
    Arn(Arn),
}

/// The ARN of a key or an alias: `arn:aws:kms:eu-west-1:111122223333:key/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arn {
    text: String,
    region: String,
    kind: ArnKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArnKind {
    Key,
    Alias,
}

impl KmsKey {
    /// As the service takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Id(text) | Name::Alias(text) => text,
            Name::Arn(arn) => &arn.text,
        }
    }

    /// The Region that an ARN names.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match &self.0 {
            Name::Arn(arn) => Some(&arn.region),
            _ => None,
        }
    }

    /// The alias, `alias/…`, if that is how the key is named.
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        match &self.0 {
            Name::Alias(alias) => Some(alias),
            Name::Arn(Arn { text, kind: ArnKind::Alias, .. }) => text.splitn(6, ':').nth(5),
            _ => None,
        }
    }

    /// Whether an answer about the key `arn` can be one about this key. What an alias means, only the service knows.
    pub(crate) fn may_be(&self, arn: &str) -> bool {
        match &self.0 {
            Name::Id(id) => arn.rsplit('/').next() == Some(id),
            Name::Arn(own) if own.kind == ArnKind::Key => own.text == arn,
            _ => true,
        }
    }
}

impl fmt::Display for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KmsKey {
    type Err = ParseKmsKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseKmsKeyError::Empty);
        }
        if text.len() > MAX_LENGTH || !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_/:".contains(c)) {
            return Err(ParseKmsKeyError::Malformed);
        }
        if text.starts_with("arn:") {
            return arn(text).map(|arn| Self(Name::Arn(arn)));
        }
        if let Some(name) = text.strip_prefix("alias/") {
            let is_name = !name.is_empty() && !name.contains(':');
            return is_name.then(|| Self(Name::Alias(text.to_owned()))).ok_or(ParseKmsKeyError::Malformed);
        }
        match text.strip_prefix("key/").unwrap_or(text) {
            id if !id.is_empty() && !id.contains(['/', ':']) => Ok(Self(Name::Id(id.to_owned()))),
            _ => Err(ParseKmsKeyError::Malformed),
        }
    }
}

fn arn(text: &str) -> Result<Arn, ParseKmsKeyError> {
    let parts: Vec<_> = text.split(':').collect();
    let [_, partition, service, region, account, resource] = parts.as_slice() else {
        return Err(ParseKmsKeyError::Malformed);
    };
    if *service != "kms" {
        return Err(ParseKmsKeyError::OtherService((*service).to_owned()));
    }
    let kind = match resource.split_once('/') {
        Some(("key", id)) if !id.is_empty() && !id.contains('/') => ArnKind::Key,
        Some(("alias", name)) if !name.is_empty() => ArnKind::Alias,
        _ => return Err(ParseKmsKeyError::Malformed),
    };
    let is_account = account.len() == ACCOUNT_DIGITS && account.bytes().all(|byte| byte.is_ascii_digit());
    if partition.is_empty() || !is_region(region) || !is_account {
        return Err(ParseKmsKeyError::Malformed);
    }
    Ok(Arn { text: text.to_owned(), region: (*region).to_owned(), kind })
}

/// Whether it looks like a Region's name. It becomes part of a host's name, so nothing else may.
pub(crate) fn is_region(text: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= MAX_REGION_LENGTH
        && text.chars().all(is_inside)
        && !text.starts_with('-')
}

/// Why a text names no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseKmsKeyError {
    /// Nothing at all.
    #[error("no key is named; write its id, its ARN, or `alias/…`")]
    Empty,
    /// Neither id nor alias nor ARN.
    #[error(
        "a key is named by its id, by `alias/…`, or by the ARN of either, \
         `arn:aws:kms:<region>:<account>:key/<id>`"
    )]
    Malformed,
    /// The ARN of something else.
    #[error("the ARN names something of the service `{0}`, and no key of `kms`")]
    OtherService(String),
}

/// The longest name that the service takes, in bytes.
const MAX_LENGTH: usize = 2048;
/// The longest label of a host's name, in bytes (RFC 1035).
const MAX_REGION_LENGTH: usize = 63;
const ACCOUNT_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const ALIAS_ARN: &str = "arn:aws-cn:kms:cn-north-1:111122223333:alias/team/partner";

    fn key(text: &str) -> KmsKey {
        text.parse().unwrap()
    }

    #[test]
    fn every_way_to_name_a_key_is_understood() {
        for text in
            [KEY_ARN, ALIAS_ARN, "alias/partner", "1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd"]
        {
            assert_eq!(key(text).as_str(), text);
        }
        assert_eq!(key("key/1234abcd").as_str(), "1234abcd");
        assert_eq!((key(KEY_ARN).region(), key(KEY_ARN).alias()), (Some("eu-west-1"), None));
        assert_eq!(
            (key(ALIAS_ARN).region(), key(ALIAS_ARN).alias()),
            (Some("cn-north-1"), Some("alias/team/partner"))
        );
        assert_eq!(
            (key("alias/partner").region(), key("alias/partner").alias()),
            (None, Some("alias/partner"))
        );
    }

    #[test]
    fn what_names_no_key_is_refused() {
        for text in [
            "alias/",
            "key/",
            "a/b",
            "partner key",
            "partner\n",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms:eu-west-1:1111:key/a",
            "arn:aws:kms::111122223333:key/a",
            "arn:aws:kms:eu-west-1:111122223333",
            "arn:aws:kms:evil.example/x:111122223333:key/a",
            "arn:aws:kms:eu-west-1:111122223333:grant/a",
            "../etc",
        ] {
            assert_eq!(text.parse::<KmsKey>(), Err(ParseKmsKeyError::Malformed), "{text}");
        }
        assert_eq!("".parse::<KmsKey>(), Err(ParseKmsKeyError::Empty));
        let other = "arn:aws:s3:eu-west-1:111122223333:key/a".parse::<KmsKey>();
        assert_eq!(other, Err(ParseKmsKeyError::OtherService("s3".to_owned())));
    }

    #[test]
    fn an_answer_about_another_key_is_known_by_its_arn() {
        assert!(key(KEY_ARN).may_be(KEY_ARN) && key("1234abcd-12ab-34cd-56ef-1234567890ab").may_be(KEY_ARN));
        assert!(key("alias/partner").may_be(KEY_ARN) && key(ALIAS_ARN).may_be(KEY_ARN));
        assert!(
            !key("other").may_be(KEY_ARN) && !key(&KEY_ARN.replace("eu-west-1", "eu-west-2")).may_be(KEY_ARN)
        );
    }
}
