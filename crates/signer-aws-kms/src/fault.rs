//! What the service and the way to it answer when they fail, sorted by who must act.

mod answers;

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId as _;
use soticket_core::{SignerError, SignerErrorKind};
use thiserror::Error;

use crate::client::PlainHttp;

/// What AWS KMS answered to a call that failed: the source of a [`SignerError`].
///
/// Holds the service's code, its own words where they hold nothing secret, and the request id that AWS support and
/// CloudTrail know the call by; never a whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsError {
    operation: &'static str,
    status: u16,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

impl KmsError {
    /// The service's name for what went wrong, such as `ThrottlingException`; none where it was not the service that
    /// answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What AWS knows the call by.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for KmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref().unwrap_or("no code of AWS KMS");
        write!(f, "kms:{} answered {code} (HTTP {}", self.operation, self.status)?;
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")?;
        self.message.iter().try_for_each(|message| write!(f, ": {message}"))
    }
}

impl StdError for KmsError {}

/// Where a call goes, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The key, as it was named.
    pub(crate) key: String,
    /// The key's own ARN, once the service has told it: policies name keys by that alone, and few commands take an alias.
    pub(crate) arn: Option<String>,
    pub(crate) region: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key `{}`", self.key)?;
        let arn = self.arn.iter().filter(|arn| **arn != self.key);
        arn.into_iter().try_for_each(|arn| write!(f, " (`{arn}`)"))?;
        write!(f, " of AWS KMS in {}", self.region)
    }
}

impl Place {
    /// The error for a call that failed.
    pub(crate) fn failed<E>(&self, operation: &'static str, error: SdkError<E>) -> SignerError
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(ref answered) => {
                let status = answered.raw().status().as_u16();
                self.answered(KmsError {
                    operation,
                    status,
                    code: answered.err().code().map(str::to_owned),
                    message: answered.err().message().map(capped),
                    request_id: error.request_id().map(str::to_owned),
                })
            }
            _ if cause::<PlainHttp>(&error).is_some() => {
                let message = "credentials are not sent over plain http:// but to this machine; correct the endpoint in the \
                               environment (AWS_ENDPOINT_URL), the profile or the client";
                self.error(SignerErrorKind::Configuration, message).with_source(PlainHttp)
            }
            SdkError::TimeoutError(_) => {
                let message = "no answer in time; see that this machine reaches the service, and that its AWS credentials are \
                               to be had in a moment (a prompt for a second factor is too slow), then try again";
                self.error(SignerErrorKind::Transport, message).with_source(error)
            }
            SdkError::DispatchFailure(_) => self.not_reached(error),
            SdkError::ResponseError(ref response) => {
                let answered = KmsError {
                    operation,
                    status: response.raw().status().as_u16(),
                    code: None,
                    message: None,
                    request_id: error.request_id().map(str::to_owned),
                };
                let (kind, message) = match response.raw().body().bytes() {
                    // It came whole, and is none of the service's.
                    Some(_) => (
                        SignerErrorKind::Protocol,
                        "answered what cannot be read; see whether a proxy is between",
                    ),
                    None => (SignerErrorKind::Transport, "the answer broke off; try again later"),
                };
                self.error(kind, message).with_source(answered)
            }
            _ => {
                let message = "cannot be asked; correct the client's settings";
                self.error(SignerErrorKind::Configuration, message).with_source(error)
            }
        }
    }

    /// An error of this crate's own finding.
    pub(crate) fn error(&self, kind: SignerErrorKind, message: impl fmt::Display) -> SignerError {
        SignerError::new(kind, format!("{self}: {message}"))
    }

    fn answered(&self, answer: KmsError) -> SignerError {
        let (kind, cure) = sorted(&answer);
        let message = match kind {
            SignerErrorKind::Refused => format!("kms:{} was refused; {cure}", answer.operation),
            _ => cure.to_owned(),
        };
        let words = answer.message.clone().filter(|_| answers::says_nothing_of_credentials(answer.code()));
        let answer = KmsError { message: words, ..answer };
        self.error(kind, message).with_source(answer)
    }

    fn not_reached<E>(&self, error: SdkError<E>) -> SignerError
    where
        E: StdError + Send + Sync + 'static,
    {
        let credentials = cause::<CredentialsError>(&error);
        let (kind, message) = match credentials {
            Some(CredentialsError::CredentialsNotLoaded(_)) => (
                SignerErrorKind::Configuration,
                "no AWS credentials are to be had; name a profile (`?profile=`, AWS_PROFILE), set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or run where a role is given",
            ),
            Some(failure) if cause::<ConnectorError>(failure).is_some() => (
                SignerErrorKind::Transport,
                "the source of the AWS credentials cannot be reached; let this machine reach it, or try again later",
            ),
            Some(_) => (
                SignerErrorKind::Configuration,
                "the AWS credentials cannot be had from where they are to come from; see the profile, the role, or \
                 whether a login has ended (`aws sso login`)",
            ),
            None => (
                SignerErrorKind::Transport,
                "the service cannot be reached; let this machine reach it by name and port, directly, by HTTPS_PROXY or a \
                 VPC endpoint",
            ),
        };
        match credentials {
            Some(failure) => self.error(kind, message).with_source(NoCredentials::new(failure)),
            None => self.error(kind, message).with_source(error),
        }
    }
}

/// The first of this kind among the causes, the error itself among them.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| (*error).source()).find_map(|cause| cause.downcast_ref())
}

/// Why there are no credentials, in the SDK's words, without those of a foreign program.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
struct NoCredentials(String);

impl NoCredentials {
    fn new(failure: &CredentialsError) -> Self {
        let chain = std::iter::successors(Some(failure as &dyn StdError), |error| (*error).source());
        let words: Vec<_> = chain.map(|cause| without_output(&cause.to_string())).collect();
        Self(capped(&words.join(": ")))
    }
}

/// What a `credential_process` printed may be anything.
fn without_output(words: &str) -> String {
    words
        .split_once("Stderr:")
        .map_or_else(|| words.to_owned(), |(before, _)| format!("{before}its output is not repeated"))
}

/// Who must act on an answer, and how.
fn sorted(answer: &KmsError) -> (SignerErrorKind, &'static str) {
    let says = |words: &&str| answer.message.as_deref().is_some_and(|message| message.contains(*words));
    let code = answer.code().unwrap_or_default();
    if answers::SIGNATURE.contains(&code) && CLOCK_WORDS.iter().any(says) {
        return (SignerErrorKind::Configuration, "this machine's clock is wrong; set it, by NTP best");
    }
    answers::known(code).unwrap_or(match (code, answer.status) {
        (_, SERVER_FAILURES..) => {
            (SignerErrorKind::Transport, "the service, or what is before it, fails; try again later")
        }
        ("", _) => (
            SignerErrorKind::Protocol,
            "something else than AWS KMS answered; see whether a proxy is between, and what `endpoint-url` names",
        ),
        _ => (SignerErrorKind::Refused, "see what AWS's documentation says of the code below"),
    })
}

/// The service's words, cut off where they are too many.
fn capped(message: &str) -> String {
    let cut = message.char_indices().nth(MAX_MESSAGE_CHARS).map_or(message.len(), |(at, _)| at);
    let shown: String = message.chars().take(MAX_MESSAGE_CHARS).filter(|c| !c.is_control()).collect();
    if cut < message.len() { format!("{shown}…") } else { shown }
}

/// The lowest HTTP status of a failure that is not the caller's.
const SERVER_FAILURES: u16 = 500;
/// What the service says of a request that was signed too early or too late.
const CLOCK_WORDS: [&str; 4] = ["Signature expired", "not yet current", "Signature not yet", "too skewed"];
/// How much of the service's words is shown; a policy's refusal names who, what and which key in less.
const MAX_MESSAGE_CHARS: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: Option<&str>, status: u16, message: &str) -> KmsError {
        KmsError {
            operation: "Sign",
            status,
            code: code.map(str::to_owned),
            message: Some(capped(message)),
            request_id: Some("4b2c".to_owned()),
        }
    }

    fn told(code: Option<&str>, status: u16, message: &str) -> (SignerErrorKind, String) {
        let place = Place { key: "alias/partner".to_owned(), arn: None, region: "eu-west-1".to_owned() };
        let error = place.answered(answer(code, status, message));
        (error.kind(), format!("{error}; caused by: {}", error.source().unwrap()))
    }

    #[test]
    fn an_error_names_action_key_region_code_and_request() {
        let (kind, told) = told(Some("AccessDeniedException"), 400, "User: arn:… is not authorized");
        assert_eq!(kind, SignerErrorKind::Refused);
        for part in [
            "kms:Sign",
            "alias/partner",
            "eu-west-1",
            "AccessDeniedException",
            "HTTP 400",
            "4b2c",
            "User: arn:",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    #[test]
    fn what_is_said_of_credentials_is_not_repeated() {
        for code in [
            "InvalidSignatureException",
            "UnrecognizedClientException",
            "ExpiredTokenException",
            "IncompleteSignatureException",
            "MissingAuthenticationTokenException",
            "SomethingNew",
        ] {
            for status in [400, 500] {
                let (_, told) = told(Some(code), status, "canonical request: x-amz-security-token:hunter2");
                assert!(!told.contains("hunter2"), "{told}");
            }
        }
        assert!(!told(None, 403, "x-amz-security-token:hunter2").1.contains("hunter2"));
        let (_, told) = told(
            Some("InvalidSignatureException"),
            400,
            "Signature expired: 20261123T120000Z is now earlier",
        );
        assert!(told.contains("clock is wrong"), "{told}");
    }

    /// The output of a foreign program may hold anything.
    #[test]
    fn what_a_credential_process_prints_is_not_repeated() {
        let words = "Error retrieving credentials: external process exited with code 1. Stderr: hunter2";
        let told = NoCredentials::new(&CredentialsError::provider_error(words)).to_string();
        assert!(told.contains("exited with code 1") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn the_steps_of_an_import_have_their_own_cures() {
        use SignerErrorKind::{Configuration, Key, Refused, Transport};
        for (code, kind, cure) in [
            ("LimitExceededException", Refused, "quota"),
            ("AlreadyExistsException", Key, "import again"),
            ("ExpiredImportTokenException", Transport, "import again"),
            ("InvalidCiphertextException", Key, "does not take the key"),
            ("ValidationException", Configuration, "does not understand"),
        ] {
            let (told_kind, told) = told(Some(code), 400, "");
            assert_eq!(told_kind, kind);
            assert!(told.contains(cure), "{told}");
        }
    }

    #[test]
    fn words_without_end_are_cut_off() {
        let (_, told) = told(Some("NotFoundException"), 400, &"ä\n".repeat(5000));
        assert!(told.chars().count() < 2 * MAX_MESSAGE_CHARS && !told.contains('\n'), "{told}");
    }

    #[test]
    fn strangers_are_told_from_the_service() {
        assert_eq!(told(None, 502, "").0, SignerErrorKind::Transport);
        assert_eq!(told(None, 403, "").0, SignerErrorKind::Protocol);
        assert_eq!(told(Some("NewException"), 400, "").0, SignerErrorKind::Refused);
        assert_eq!(told(Some("NewException"), 500, "").0, SignerErrorKind::Transport);
    }
}
