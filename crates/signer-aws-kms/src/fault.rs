//! What the service and the way to it answer when they fail, sorted by who must act.

mod answers;

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId as _;
use soticket_core::{SignerError, SignerErrorKind};

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
    pub(crate) region: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key `{}` of AWS KMS in {}", self.key, self.region)
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
            SdkError::TimeoutError(_) => {
                let message =
                    "did not answer in time; see that this machine reaches the service, and try again later";
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
        // What is said of credentials may repeat what was sent.
        let message_is_kept =
            kind != SignerErrorKind::Configuration || answer.code() == Some("ValidationException");
        let answer = KmsError { message: answer.message.clone().filter(|_| message_is_kept), ..answer };
        self.error(kind, message).with_source(answer)
    }

    fn not_reached<E>(&self, error: SdkError<E>) -> SignerError
    where
        E: StdError + Send + Sync + 'static,
    {
        let (kind, message) = match credentials(&error) {
            Some(CredentialsError::CredentialsNotLoaded(_)) => (
                SignerErrorKind::Configuration,
                "no AWS credentials are to be had; name a profile (`?profile=`, AWS_PROFILE), set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or run where a role is given",
            ),
            Some(CredentialsError::ProviderTimedOut(_)) => (
                SignerErrorKind::Transport,
                "the source of the AWS credentials did not answer in time; try again later",
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
        self.error(kind, message).with_source(error)
    }
}

/// The failure to get credentials among the causes.
fn credentials<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CredentialsError> {
    std::iter::successors(Some(error), |error| (*error).source()).find_map(|cause| cause.downcast_ref())
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
        _ => (SignerErrorKind::Refused, "see what the service says"),
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
        let place = Place { key: "alias/partner".to_owned(), region: "eu-west-1".to_owned() };
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
        for code in ["InvalidSignatureException", "UnrecognizedClientException", "ExpiredTokenException"] {
            let (kind, told) = told(Some(code), 400, "canonical request: x-amz-security-token:hunter2");
            assert_eq!(kind, SignerErrorKind::Configuration);
            assert!(!told.contains("hunter2"), "{told}");
        }
        let (_, told) = told(
            Some("InvalidSignatureException"),
            400,
            "Signature expired: 20261123T120000Z is now earlier",
        );
        assert!(told.contains("clock is wrong"), "{told}");
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
