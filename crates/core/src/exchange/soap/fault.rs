//! SOAP faults, of version 1.1 and 1.2.

use std::error::Error as StdError;
use std::fmt;

use super::envelope::Problem;
use super::xml::Element;
use super::{SOAP_11, SOAP_12};
use crate::refusal::{cleaned, escape};

/// A SOAP fault of the service: the source of an [`Error`](crate::Error) of the kind
/// [`Protocol`](crate::ErrorKind::Protocol).
///
/// Details, in which services show their stack, are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoapFault {
    code: String,
    reason: String,
}

impl SoapFault {
    /// The fault's code without its prefix: `Client` and `Server` in SOAP 1.1, `Sender` and `Receiver` in SOAP 1.2, or one of
    /// WCF's own, such as `InternalServiceFault`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the service wrote, capped, control characters escaped, without our secrets should it echo them.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Reads the element `Fault` of `soap`.
    pub(super) fn read(fault: &Element, soap: &str) -> Result<Self, Problem> {
        let (code, reason) = if soap == SOAP_12 { soap_12(fault)? } else { soap_11(fault)? };
        let code = code.map(Element::text).unwrap_or_default().trim();
        let code = code.rsplit_once(':').map_or(code, |(_, code)| code);
        let reason = reason.map(Element::text).unwrap_or_default();
        Ok(Self { code: code.to_owned(), reason: reason.to_owned() })
    }

    /// The same, fit to be shown.
    pub(super) fn cleaned(self, secrets: &[&str]) -> Self {
        let code = escape(&cleaned(&self.code, secrets), MAX_CODE_LENGTH);
        let reason = escape(&cleaned(&self.reason, secrets), MAX_REASON_LENGTH);
        Self { code, reason }
    }

    /// What to do about it.
    pub(super) fn cure(&self) -> &'static str {
        // `Client.Authentication` is a kind of `Client`.
        let code = self.code.split('.').next().unwrap_or_default();
        if BY_US.contains(&code) {
            "it does not understand the request; check the environment and any proxy between, else tell soticket's maintainers"
        } else {
            "try again later; when it stays, tell SuperOffice's support"
        }
    }
}

impl fmt::Display for SoapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = if self.code.is_empty() { "without a code" } else { &self.code };
        write!(
            f,
            "SOAP fault {code}: {}",
            if self.reason.is_empty() { "no reason given" } else { &self.reason }
        )
    }
}

impl StdError for SoapFault {}

type CodeAndReason<'a> = (Option<&'a Element>, Option<&'a Element>);

/// `faultcode` and `faultstring`, which are in no namespace; some services put them in SOAP's.
fn soap_11(fault: &Element) -> Result<CodeAndReason<'_>, Problem> {
    let only = |name: &str| {
        let mut found = fault.children.iter().filter(|child| child.is_local_or(SOAP_11, name));
        let first = found.next();
        if found.next().is_some() { Err(Problem::Repeated) } else { Ok(first) }
    };
    Ok((only("faultcode")?, only("faultstring")?))
}

/// The innermost of the codes, which is the most exact, and the first of the reasons, which differ in their languages.
fn soap_12(fault: &Element) -> Result<CodeAndReason<'_>, Problem> {
    let mut code = fault.only(SOAP_12, "Code")?;
    while let Some(inner) = code.map(|code| code.only(SOAP_12, "Subcode")).transpose()?.flatten() {
        code = Some(inner);
    }
    let value = code.map(|code| code.only(SOAP_12, "Value")).transpose()?.flatten();
    let reason = fault.only(SOAP_12, "Reason")?;
    let text = reason.and_then(|reason| reason.children.iter().find(|child| child.is(SOAP_12, "Text")));
    Ok((value, text))
}

/// The codes of faults that the request is to blame for, WCF's among them.
const BY_US: [&str; 8] = [
    "Client",
    "Sender",
    "VersionMismatch",
    "MustUnderstand",
    "DataEncodingUnknown",
    "ActionNotSupported",
    "DeserializationFailed",
    "InvalidSecurity",
];
/// How much of a fault is kept, in characters.
const MAX_CODE_LENGTH: usize = 80;
const MAX_REASON_LENGTH: usize = 300;
