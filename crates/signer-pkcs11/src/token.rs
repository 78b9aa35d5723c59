//! Tokens: what is in the slots, what a token says of itself, and which one a URI means.

use cryptoki::slot::Slot;
use cryptoki_sys as sys;

use crate::fault::Fault;
use crate::library::RawTokenInfo;
use crate::module::Entered;
use crate::rv::{CallError, widened};
use crate::uri::{LibraryAttribute, Pkcs11Uri, SlotAttribute, TokenAttribute, encoded};

/// What a token says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    label: String,
    manufacturer: String,
    model: String,
    serial: String,
    slot_id: u64,
    flags: u64,
    max_sessions: Option<u64>,
}

/// The count of wrong PINs, as far as a token tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinCounter {
    /// No wrong PIN since the last right one.
    Clean,
    /// At least one wrong PIN (`CKF_USER_PIN_COUNT_LOW`).
    Low,
    /// One more wrong PIN locks the token (`CKF_USER_PIN_FINAL_TRY`).
    FinalTry,
    /// Locked (`CKF_USER_PIN_LOCKED`).
    Locked,
    /// The PIN has to be changed before it can be used (`CKF_USER_PIN_TO_BE_CHANGED`).
    ToBeChanged,
    /// There is no user PIN yet (`CKF_USER_PIN_INITIALIZED` is not set).
    NotSet,
}

impl TokenInfo {
    fn new(slot: Slot, info: &RawTokenInfo) -> Self {
        Self {
            label: text(&info.label),
            manufacturer: text(&info.manufacturer),
            model: text(&info.model),
            serial: text(&info.serial),
            slot_id: slot.id(),
            flags: info.flags,
            max_sessions: info.max_sessions,
        }
    }

    /// The label that it got when it was initialised.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Who made it.
    #[must_use]
    pub fn manufacturer(&self) -> &str {
        &self.manufacturer
    }

    /// Its model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Its serial number, which some modules leave blank or zero.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The slot that it is in now; the number changes with restarts.
    #[must_use]
    pub fn slot_id(&self) -> u64 {
        self.slot_id
    }

    /// The most sessions that one process may open, if the token limits them.
    #[must_use]
    pub fn max_sessions(&self) -> Option<u64> {
        self.max_sessions
    }

    /// Whether private objects need a login.
    #[must_use]
    pub fn login_required(&self) -> bool {
        self.has(sys::CKF_LOGIN_REQUIRED)
    }

    /// Whether the PIN is entered on the device itself.
    #[must_use]
    pub fn protected_authentication_path(&self) -> bool {
        self.has(sys::CKF_PROTECTED_AUTHENTICATION_PATH)
    }

    /// Whether the token has been initialised.
    #[must_use]
    pub fn is_initialized(&self) -> bool {
        self.has(sys::CKF_TOKEN_INITIALIZED)
    }

    /// The count of wrong PINs.
    #[must_use]
    pub fn pin_counter(&self) -> PinCounter {
        match () {
            () if self.has(sys::CKF_USER_PIN_LOCKED) => PinCounter::Locked,
            () if self.has(sys::CKF_USER_PIN_TO_BE_CHANGED) => PinCounter::ToBeChanged,
            () if self.has(sys::CKF_USER_PIN_FINAL_TRY) => PinCounter::FinalTry,
            () if !self.has(sys::CKF_USER_PIN_INITIALIZED) => PinCounter::NotSet,
            () if self.has(sys::CKF_USER_PIN_COUNT_LOW) => PinCounter::Low,
            () => PinCounter::Clean,
        }
    }

    /// The path attributes of a URI that names this token.
    #[must_use]
    pub fn uri_attributes(&self) -> String {
        format!("token={};serial={}", encoded(self.label.as_bytes()), encoded(self.serial.as_bytes()))
    }

    fn has(&self, flag: sys::CK_FLAGS) -> bool {
        self.flags & widened(flag) != 0
    }

    fn attribute(&self, attribute: TokenAttribute) -> &str {
        match attribute {
            TokenAttribute::Label => &self.label,
            TokenAttribute::Manufacturer => &self.manufacturer,
            TokenAttribute::Serial => &self.serial,
            TokenAttribute::Model => &self.model,
        }
    }
}

impl std::fmt::Display for TokenInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "token `{}` (serial {})", self.label, self.serial)
    }
}

/// The initialised tokens that `uri` matches; a slot that does not answer is left out with a word in the log.
pub(crate) fn matching(entered: &Entered<'_>, uri: &Pkcs11Uri) -> Result<Vec<(Slot, TokenInfo)>, Fault> {
    if !library_matches(entered, uri)? {
        return Ok(Vec::new());
    }
    let all = all(entered)?.into_iter();
    Ok(all.filter(|(slot, token)| token_matches(token, uri) && slot_matches(entered, *slot, uri)).collect())
}

/// Every initialised token.
pub(crate) fn all(entered: &Entered<'_>) -> Result<Vec<(Slot, TokenInfo)>, Fault> {
    let library = entered.library();
    let slots = library.pkcs11.get_slots_with_token();
    let slots = slots.map_err(|error| Fault::of_call("the slots cannot be listed", error.into()))?;
    let read = slots.into_iter().filter_map(|slot| match library.token_info(slot) {
        Ok(info) => Some((slot, TokenInfo::new(slot, &info))),
        Err(call) => {
            tracing::warn!(slot = slot.id(), "a slot does not answer: {call}");
            None
        }
    });
    Ok(read.filter(|(_, token)| token.is_initialized()).collect())
}

/// What the token in `slot` says of itself now.
pub(crate) fn read(entered: &Entered<'_>, slot: Slot) -> Result<TokenInfo, Fault> {
    let info = entered.library().token_info(slot);
    let info = info.map_err(|call| Fault::of_call("the token does not tell its state", call))?;
    Ok(TokenInfo::new(slot, &info))
}

/// The one token that `uri` means.
pub(crate) fn select(entered: &Entered<'_>, uri: &Pkcs11Uri) -> Result<(Slot, TokenInfo), Fault> {
    let mut found = matching(entered, uri)?;
    match (found.len(), found.pop()) {
        (1, Some(token)) => Ok(token),
        (0, _) | (_, None) => Err(no_token(&all(entered)?)),
        (count, Some(last)) => Err(Fault::configuration(format!(
            "{count} tokens match the URI: {}; add `serial=` to choose one",
            listed(found.iter().chain([&last]))
        ))),
    }
}

fn no_token(all: &[(Slot, TokenInfo)]) -> Fault {
    let there = match all {
        [] => "no initialised token is there at all: see that the device is connected and that this user may read the \
               module's configuration"
            .to_owned(),
        _ => format!("there are {}; correct the URI", listed(all.iter())),
    };
    Fault::configuration(format!("no token matches the URI; {there}"))
}

fn listed<'a>(tokens: impl Iterator<Item = &'a (Slot, TokenInfo)>) -> String {
    let texts = tokens.map(|(_, token)| format!("`{}`", token.uri_attributes()));
    texts.collect::<Vec<_>>().join(", ")
}

fn library_matches(entered: &Entered<'_>, uri: &Pkcs11Uri) -> Result<bool, Fault> {
    if uri.library.is_empty() {
        return Ok(true);
    }
    let info = entered.library().pkcs11.get_library_info();
    let info =
        info.map_err(|error| Fault::of_call("the module does not say what it is", CallError::from(error)))?;
    let version = info.library_version();
    Ok(uri.library.iter().all(|(attribute, wanted)| match attribute {
        LibraryAttribute::Manufacturer => trimmed(info.manufacturer_id()) == wanted,
        LibraryAttribute::Description => trimmed(info.library_description()) == wanted,
        LibraryAttribute::Version => {
            *wanted == format!("{}.{}", version.major(), version.minor())
                || (version.minor() == 0 && *wanted == version.major().to_string())
        }
    }))
}

fn slot_matches(entered: &Entered<'_>, slot: Slot, uri: &Pkcs11Uri) -> bool {
    if uri.slot.is_empty() {
        return true;
    }
    let Ok(info) = entered.library().pkcs11.get_slot_info(slot) else { return false };
    uri.slot.iter().all(|(attribute, wanted)| match attribute {
        SlotAttribute::Manufacturer => trimmed(info.manufacturer_id()) == wanted,
        SlotAttribute::Description => trimmed(info.slot_description()) == wanted,
    })
}

fn token_matches(token: &TokenInfo, uri: &Pkcs11Uri) -> bool {
    uri.slot_id.is_none_or(|id| id == token.slot_id)
        && uri.token.iter().all(|(attribute, wanted)| token.attribute(*attribute) == wanted)
}

/// Fields are padded with blanks, and by some modules with NULs.
fn text(field: &[u8]) -> String {
    trimmed(&String::from_utf8_lossy(field)).to_owned()
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches([' ', '\0'])
}
