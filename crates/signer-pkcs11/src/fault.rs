//! Why a signature failed, on the inside: who must act, how far recovery may go, and what the operator is told.

use cryptoki_sys as sys;
use soticket_core::{SignerError, SignerErrorKind};

use crate::rv::CallError;

/// A failure, before it is told to a caller: it can be cloned, since the breaker tells one failure to many.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) class: Class,
    message: String,
    call: Option<CallError>,
}

/// What kind of failure it is, and so what may be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Settings are wrong.
    Configuration,
    /// The key is missing or unfit.
    Key,
    /// The device understood and refused this request; asking again changes nothing.
    Request,
    /// The PIN was refused, or must not be tried.
    Pin,
    /// A signature or a public key is not the pinned key's.
    Untrusted,
    /// The device, or the way to it.
    Device,
    /// No further session is to be had.
    SessionLimit,
    /// Only a new process helps.
    Terminal,
    /// We are wrong.
    Bug,
}

impl Fault {
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), call: None }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(Class::Configuration, message)
    }

    /// A call that failed while `doing`, sorted by its code.
    pub(crate) fn of_call(doing: &str, call: CallError) -> Self {
        let (class, cure) = sorted(&call);
        let message = if cure.is_empty() { doing.to_owned() } else { format!("{doing}; {cure}") };
        Self { class, message, call: Some(call) }
    }

    /// The same, with the call that failed.
    pub(crate) fn with_call(mut self, call: CallError) -> Self {
        self.call = Some(call);
        self
    }

    /// The same, told of `place`: a token, a module.
    pub(crate) fn at(mut self, place: &str) -> Self {
        if !self.message.contains(place) {
            self.message = format!("{place}: {}", self.message);
        }
        self
    }

    /// The same, sorted otherwise.
    pub(crate) fn reclassed(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// What was a matter of settings when the signer was built is one of the device later on: the settings have
    /// not changed since.
    pub(crate) fn while_running(self) -> Self {
        match self.class {
            Class::Configuration => self.reclassed(Class::Device),
            _ => self,
        }
    }

    /// The same, told to somebody whom it keeps from trying.
    pub(crate) fn told_again(mut self, how: &str) -> Self {
        self.message = format!("{how}; last: {}", self.message);
        self
    }

    /// The same, told with why the last remedy could not be had.
    pub(crate) fn not_helped_by(mut self, remedy: &Self) -> Self {
        self.message = format!("{}; {}", self.message, remedy.message);
        self
    }

    pub(crate) fn call(&self) -> Option<&CallError> {
        self.call.as_ref()
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether recovery stops here: nothing on any rung of the ladder could help.
    pub(crate) fn ends_recovery(&self) -> bool {
        matches!(self.class, Class::Request | Class::Pin | Class::SessionLimit | Class::Terminal | Class::Bug)
    }

    /// Whether the device counts as down after it.
    pub(crate) fn is_outage(&self) -> bool {
        !matches!(self.class, Class::Request | Class::SessionLimit | Class::Bug)
    }

    /// Whether no later attempt of this process can succeed, so that none is made.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.class, Class::Pin | Class::Terminal)
    }

    fn kind(&self) -> SignerErrorKind {
        match self.class {
            Class::Configuration => SignerErrorKind::Configuration,
            Class::Key => SignerErrorKind::Key,
            Class::Request | Class::Pin => SignerErrorKind::Refused,
            Class::Untrusted => SignerErrorKind::Untrusted,
            Class::Device | Class::SessionLimit => SignerErrorKind::Transport,
            Class::Terminal => SignerErrorKind::Protocol,
            Class::Bug => SignerErrorKind::Bug,
        }
    }
}

impl From<Fault> for SignerError {
    fn from(fault: Fault) -> Self {
        let error = Self::new(fault.kind(), fault.message);
        match fault.call {
            Some(call) => error.with_source(call),
            None => error,
        }
    }
}

/// Who must act on a code, and how. What is not listed is the device's or the way's: codes there tell little.
fn sorted(call: &CallError) -> (Class, &'static str) {
    let Some(code) = call.code().and_then(|code| sys::CK_RV::try_from(code).ok()) else {
        return (Class::Device, "");
    };
    match code {
        sys::CKR_PIN_INCORRECT | sys::CKR_PIN_INVALID | sys::CKR_PIN_LEN_RANGE => (
            Class::Pin,
            "correct the PIN before anything tries again; this process will not try this one a second time",
        ),
        sys::CKR_PIN_EXPIRED => (Class::Pin, "have the PIN changed with the device's own tool"),
        sys::CKR_PIN_LOCKED => (
            Class::Pin,
            "the PIN is locked, which also happens to right PINs after a crash; have the security officer reset it",
        ),
        sys::CKR_USER_PIN_NOT_INITIALIZED => {
            (Class::Pin, "the token has no user PIN yet; have the security officer set it")
        }
        sys::CKR_USER_ANOTHER_ALREADY_LOGGED_IN => (
            Class::Device,
            "another user, such as the security officer, is logged in by this process; log it out",
        ),
        sys::CKR_KEY_FUNCTION_NOT_PERMITTED => {
            (Class::Request, "the key may not sign; set its CKA_SIGN, or name another key")
        }
        sys::CKR_MECHANISM_INVALID | sys::CKR_MECHANISM_PARAM_INVALID => (
            Class::Request,
            "the token does not allow the mechanism; see what it allows with `pkcs11-tool -M`",
        ),
        sys::CKR_DATA_INVALID
        | sys::CKR_DATA_LEN_RANGE
        | sys::CKR_KEY_TYPE_INCONSISTENT
        | sys::CKR_KEY_SIZE_RANGE => {
            (Class::Request, "the key does not fit the request; look at the key with `soticket key inspect`")
        }
        sys::CKR_SESSION_COUNT => (
            Class::SessionLimit,
            "the token has no free session; lower the number of sessions, here or in other programs",
        ),
        sys::CKR_OBJECT_HANDLE_INVALID | sys::CKR_KEY_HANDLE_INVALID => {
            (Class::Device, "the key has gone, or the login is lost; see that the key is still in the token")
        }
        sys::CKR_TOKEN_NOT_PRESENT | sys::CKR_DEVICE_REMOVED | sys::CKR_SLOT_ID_INVALID => {
            (Class::Device, "see that the device is there and switched on")
        }
        sys::CKR_TOKEN_WRITE_PROTECTED | sys::CKR_SESSION_READ_ONLY => {
            (Class::Request, "the token cannot be written to; use one that can")
        }
        sys::CKR_TEMPLATE_INCONSISTENT | sys::CKR_ATTRIBUTE_VALUE_INVALID | sys::CKR_TEMPLATE_INCOMPLETE => (
            Class::Request,
            "the token does not take a key like this; its policy decides size, kind and attributes",
        ),
        _ => (Class::Device, "see that the device can be reached, and look at its own log"),
    }
}
