//! SuperOffice's refusals: the documented reasons, recognised in a free text, each with a cure.

use std::fmt;

/// SuperOffice said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    reason: RefusalReason,
    text: String,
}

impl Refusal {
    /// The longest text that is kept, in characters.
    pub const MAX_TEXT_LENGTH: usize = 300;

    /// Reads the service's `ErrorMessage`, from which everything in `secrets` is taken out, should the service echo it.
    pub(crate) fn from_message(message: &str, secrets: &[&str]) -> Self {
        let text = cleaned(message, secrets);
        Self { reason: RefusalReason::recognise(&text), text: escape(&text, Self::MAX_TEXT_LENGTH) }
    }

    /// The documented reason.
    #[must_use]
    pub fn reason(&self) -> RefusalReason {
        self.reason
    }

    /// What the service wrote, at most [`Refusal::MAX_TEXT_LENGTH`] characters of it, control characters escaped.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reason, text, cure) = (self.reason, &self.text, self.reason.cure());
        match text.as_str() {
            "" => write!(f, "SuperOffice refused and gave no reason; {cure}"),
            _ if reason == RefusalReason::Unknown => write!(f, "SuperOffice refused: `{text}`; {cure}"),
            _ => write!(f, "SuperOffice refused for {reason}: `{text}`; {cure}"),
        }
    }
}

/// SuperOffice's authorisation codes, but for `NoError`. How they show in a text is not documented, so a
/// reason is a help and nothing to depend on alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalReason {
    /// Code 1: the tenant withdrew its approval.
    Revoked,
    /// Code 2: concerns interactive sign-in.
    InvalidRedirectUrl,
    /// Code 3: the approval or the tenant has expired.
    Expired,
    /// Code 4: the application may not do this.
    Denied,
    /// Code 5: the application changed, and an administrator must approve it again.
    NeedsReapproval,
    /// Code 6: the time in the signed system token is outside the service's window.
    InvalidTimestamp,
    /// Code 7: the signature does not belong to the application's registered key.
    InvalidSignature,
    /// None of the above was recognised.
    Unknown,
}

impl RefusalReason {
    /// All documented reasons; longer names first, so that none hides in another.
    const DOCUMENTED: [Self; 7] = [
        Self::InvalidRedirectUrl,
        Self::InvalidTimestamp,
        Self::InvalidSignature,
        Self::NeedsReapproval,
        Self::Revoked,
        Self::Expired,
        Self::Denied,
    ];

    /// What to do about it.
    #[must_use]
    pub fn cure(self) -> &'static str {
        match self {
            Self::Revoked => {
                "an administrator of the tenant must approve the application again, which gives a new system user token"
            }
            Self::InvalidRedirectUrl => "register the redirect URL for the application with SuperOffice",
            Self::Expired => {
                "check that the tenant's subscription and the application's approval are still running"
            }
            Self::Denied => {
                "check the client secret, that this tenant approved this application, and that the system user token is this tenant's"
            }
            Self::NeedsReapproval => {
                "the application has changed; an administrator of the tenant must approve it again"
            }
            Self::InvalidTimestamp => "set this machine's clock (UTC counts; time zones do not matter)",
            Self::InvalidSignature => {
                "use the private key that belongs to this application in this environment; each environment has its own"
            }
            Self::Unknown => {
                "check the environment, the client secret, the context identifier and the system user token, in this order"
            }
        }
    }

    /// Whether it is about the time stamp and nothing else.
    pub(crate) fn is_the_clock(self) -> bool {
        self == Self::InvalidTimestamp
    }

    /// Whether a wrong clock can be behind it.
    pub(crate) fn may_be_the_clock(self) -> bool {
        matches!(self, Self::InvalidTimestamp | Self::InvalidSignature | Self::Expired | Self::Unknown)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Revoked => "Revoked",
            Self::InvalidRedirectUrl => "InvalidRedirectUrl",
            Self::Expired => "Expired",
            Self::Denied => "Denied",
            Self::NeedsReapproval => "NeedsReapproval",
            Self::InvalidTimestamp => "InvalidTimestamp",
            Self::InvalidSignature => "InvalidSignature",
            Self::Unknown => "unknown reason",
        }
    }

    fn recognise(text: &str) -> Self {
        let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
        let letters = letters.to_ascii_lowercase();
        let named = |reason: &Self| letters.contains(&reason.name().to_ascii_lowercase());
        Self::DOCUMENTED.into_iter().find(named).unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Takes secrets out of a text of the service, should it echo them.
pub(crate) fn cleaned(text: &str, secrets: &[&str]) -> String {
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
}

/// Makes foreign text fit for a terminal and a log: control and invisible formatting characters escaped, at most `max` characters.
pub(crate) fn escape(text: &str, max: usize) -> String {
    let mut escaped: String = text.trim().chars().take(max).flat_map(escape_char).collect();
    if text.trim().chars().nth(max).is_some() {
        escaped.push('…');
    }
    escaped
}

fn escape_char(c: char) -> impl Iterator<Item = char> {
    // `escape_debug` escapes control, formatting and unprintable characters; quotes need not be.
    let keep = matches!(c, '\'' | '"' | '\\');
    keep.then_some(c).into_iter().chain((!keep).then(|| c.escape_debug()).into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> RefusalReason {
        Refusal::from_message(text, &[]).reason()
    }

    #[test]
    fn every_documented_name_is_recognised_in_any_case_and_spacing() {
        for expected in RefusalReason::DOCUMENTED {
            let name = expected.name();
            assert_eq!(reason(name), expected);
            assert_eq!(reason(&format!("Error: {} (0x1)", name.to_uppercase())), expected);
        }
        assert_eq!(reason("invalid time stamp"), RefusalReason::InvalidTimestamp);
        assert_eq!(reason("Needs re-approval"), RefusalReason::NeedsReapproval);
    }

    #[test]
    fn unknown_text_is_kept_capped_and_escaped() {
        let refusal = Refusal::from_message("line\none\u{1b}[31m \u{202e}", &[]);
        assert_eq!(refusal.reason(), RefusalReason::Unknown);
        assert_eq!(refusal.text(), "line\\none\\u{1b}[31m \\u{202e}");
        let long = Refusal::from_message(&"x".repeat(1000), &[]);
        assert_eq!(long.text().chars().count(), Refusal::MAX_TEXT_LENGTH + 1);
    }

    #[test]
    fn an_echoed_secret_is_taken_out() {
        let refusal = Refusal::from_message("no such secret: hunter2", &["hunter2", ""]);
        assert_eq!(refusal.text(), "no such secret: [redacted]");
    }
}
