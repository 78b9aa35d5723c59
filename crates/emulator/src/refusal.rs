//! The refusals of the login service, by SuperOffice's names.

use serde::Deserialize;

/// An authorisation code other than `NoError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// The approval was withdrawn.
    Revoked,
    /// Never natural in this flow: only a fault brings it.
    InvalidRedirectUrl,
    /// The approval has ended.
    Expired,
    /// Unknown application, tenant or system user token, or an approval denied.
    Denied,
    /// The application changed, and the tenant must approve it again.
    NeedsReapproval,
    /// The time stamp is malformed or outside the window.
    InvalidTimestamp,
    /// The signature is not the partner key's over this token and time.
    InvalidSignature,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: &[Self] = &[
        Self::Revoked,
        Self::InvalidRedirectUrl,
        Self::Expired,
        Self::Denied,
        Self::NeedsReapproval,
        Self::InvalidTimestamp,
        Self::InvalidSignature,
    ];

    /// SuperOffice's name of the code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Revoked => "Revoked",
            Self::InvalidRedirectUrl => "InvalidRedirectUrl",
            Self::Expired => "Expired",
            Self::Denied => "Denied",
            Self::NeedsReapproval => "NeedsReapproval",
            Self::InvalidTimestamp => "InvalidTimestamp",
            Self::InvalidSignature => "InvalidSignature",
        }
    }

    pub(crate) fn text(self) -> String {
        format!("{}: the system user could not be authenticated", self.name())
    }
}
