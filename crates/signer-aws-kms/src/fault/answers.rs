//! The service's codes, who must act on each, and how. By code, since most have no variant in the SDK.

use soticket_core::SignerErrorKind::{self, Configuration, Key, Refused, Transport};

/// Who must act on an answer with this code, and how, if it is one that is known.
pub(super) fn known(code: &str) -> Option<(SignerErrorKind, &'static str)> {
    let found = ANSWERS.iter().find(|(codes, ..)| codes.contains(&code));
    found.map(|(_, kind, cure)| (*kind, *cure))
}

/// Whether the service's own words may be repeated: those of a code that is known and is no matter of credentials, of which
/// it may say what was sent.
pub(super) fn says_nothing_of_credentials(code: Option<&str>) -> bool {
    let code = code.unwrap_or_default();
    known(code).is_some_and(|(kind, _)| kind != Configuration) || code == "ValidationException"
}

/// The codes of a request whose signature does not fit, for which the clock may be to blame.
pub(super) const SIGNATURE: &[&str] = &[
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "RequestExpired",
    "RequestTimeTooSkewed",
];

const ANSWERS: &[(&[&str], SignerErrorKind, &str)] = &[
    (
        &["NotFoundException"],
        Key,
        "there is no such key; correct its id or alias, or the Region, or use the account that has it",
    ),
    (&["DisabledException"], Key, "the key is disabled; have it enabled (`aws kms enable-key`)"),
    (
        &["KMSInvalidStateException"],
        Key,
        "the key is in a state in which this is not possible; see whether it waits for its deletion, or for its material to be \
         imported",
    ),
    (
        &["InvalidKeyUsageException", "UnsupportedOperationException"],
        Key,
        "the key is of a kind that does not sign so; name an RSA or P-256 key made for SIGN_VERIFY",
    ),
    (
        &["AccessDeniedException", "AccessDenied", "NotAuthorized", "OptInRequired"],
        Refused,
        "allow this action on this key to the caller, in the caller's IAM policy and the key's own policy",
    ),
    (
        &["LimitExceededException"],
        Refused,
        "the account has as many keys, aliases or grants as its quota allows; have it raised, or delete some",
    ),
    (
        &["AlreadyExistsException"],
        Key,
        "the alias was made in the meantime; import again, and see what it means now",
    ),
    (
        &["ExpiredImportTokenException", "InvalidImportTokenException"],
        Transport,
        "the service's wrapping key is out of date; import again",
    ),
    (
        &["IncorrectKeyMaterialException", "InvalidCiphertextException"],
        Key,
        "the service does not take the key; see that the KMS key is of its type and size, and holds no other",
    ),
    (
        &["InvalidGrantTokenException"],
        Configuration,
        "the grant token is not valid; leave it out, or renew it",
    ),
    (
        SIGNATURE,
        Configuration,
        "the AWS credentials do not fit together; correct the secret access key, and see that this machine's clock is right",
    ),
    (
        &["ExpiredTokenException", "ExpiredToken"],
        Configuration,
        "the AWS credentials have expired; get new ones (`aws sso login`)",
    ),
    (
        &[
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "InvalidToken",
        ],
        Configuration,
        "AWS does not know these credentials; correct the access key id, or the session token that belongs to it",
    ),
    (
        &["ValidationException", "InvalidArnException", "InvalidAliasNameException"],
        Configuration,
        "the service does not understand how the key is named; correct the id, alias or ARN",
    ),
    (
        &["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"],
        Transport,
        "the service throttles; sign less at once, or have the account's request quota for this Region raised",
    ),
    (
        &[
            "KMSInternalException",
            "InternalFailure",
            "InternalServerError",
            "ServiceUnavailable",
            "DependencyTimeoutException",
            "KeyUnavailableException",
        ],
        Transport,
        "the service has a failure of its own; try again later",
    ),
];
