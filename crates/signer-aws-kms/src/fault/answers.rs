//! The service's codes, who must act on each, and how. By code, since most have no variant in the SDK.

use soticket_core::SignerErrorKind::{self, Configuration, Key, Refused, Transport};

/// Who must act on an answer with this code, and how, if it is one that is known.
pub(super) fn known(code: &str) -> Option<(SignerErrorKind, &'static str)> {
    let found = ANSWERS.iter().find(|(codes, ..)| codes.contains(&code));
    found.map(|(_, kind, cure)| (*kind, *cure))
}

/// The codes of a request whose signature does not fit, for which the clock may be to blame.
pub(super) const SIGNATURE: &[&str] = &[
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
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
        "the key is in a state in which it does not sign; see whether it waits for its deletion, or for its material to be \
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
        &[
            "ThrottlingException",
            "Throttling",
            "LimitExceededException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
        ],
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
