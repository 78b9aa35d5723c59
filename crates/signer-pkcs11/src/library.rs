//! A module's functions: cryptoki's, and directly those that cryptoki does not call as they are needed.

use std::ffi::CString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use cryptoki::context::{CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::slot::{Slot, TokenInfo as CryptokiTokenInfo};
use cryptoki_sys as sys;

use crate::fault::{Class, Fault};
use crate::raw::{Functions, initialize_arguments};
use crate::rv::{CallError, widened};

/// A module that was loaded. It stays so until the process ends.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) pkcs11: Pkcs11,
    functions: Functions,
    /// Whether our direct calls reach the same instance as cryptoki's.
    direct: AtomicBool,
}

/// What a token says of itself, before it is made sense of.
#[derive(Debug, Clone)]
pub(crate) struct RawTokenInfo {
    pub(crate) label: Vec<u8>,
    pub(crate) manufacturer: Vec<u8>,
    pub(crate) model: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) flags: u64,
    pub(crate) max_sessions: Option<u64>,
}

impl Library {
    pub(crate) fn load(path: &Path) -> Result<Self, CallError> {
        let functions = Functions::load(path)?;
        let pkcs11 = Pkcs11::new(path)?;
        Ok(Self { pkcs11, functions, direct: AtomicBool::new(false) })
    }

    /// `C_Initialize`, with `arguments` as the reserved argument if there are any.
    pub(crate) fn initialize(
        &self,
        flags: CInitializeFlags,
        arguments: Option<&CString>,
    ) -> Result<(), CallError> {
        let outcome = self.pkcs11.initialize(initialize_arguments(flags, arguments));
        self.direct.store(self.functions.are_initialized(), Ordering::Relaxed);
        Ok(outcome?)
    }

    /// Begins and ends a signature of `length` bytes; between, `authenticate` gives the PIN if the key wants it.
    pub(crate) fn sign(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        key: ObjectHandle,
        data: &[u8],
        length: usize,
        authenticate: Option<&dyn Fn() -> Result<(), Fault>>,
    ) -> Result<Vec<u8>, Fault> {
        let failed = |call| Fault::of_call("the token does not sign", call);
        match (self.is_direct(), authenticate) {
            (true, authenticate) => {
                session.sign_init(mechanism, key).map_err(|error| failed(error.into()))?;
                authenticate.map_or(Ok(()), |authenticate| authenticate())?;
                self.functions.sign(session, data, length).map_err(failed)
            }
            // One call more, which asks for the length.
            (false, None) => session.sign(mechanism, key, data).map_err(|error| failed(error.into())),
            (false, Some(_)) => Err(Fault::new(
                Class::Request,
                "the key wants the PIN with each use (CKA_ALWAYS_AUTHENTICATE), which does not work through this \
                 module; name the device's own module instead of a proxy",
            )),
        }
    }

    pub(crate) fn token_info(&self, slot: Slot) -> Result<RawTokenInfo, CallError> {
        if self.is_direct() {
            return Ok(RawTokenInfo::from(&self.functions.token_info(slot)?));
        }
        Ok(RawTokenInfo::from(&self.pkcs11.get_token_info(slot)?))
    }

    pub(crate) fn mechanisms(&self, slot: Slot) -> Result<Vec<sys::CK_MECHANISM_TYPE>, CallError> {
        if self.is_direct() {
            return self.functions.mechanisms(slot);
        }
        Ok(self.pkcs11.get_mechanism_list(slot)?.into_iter().map(Into::into).collect())
    }

    /// Whether all function lists of the module are one, as is usual; p11-kit makes an instance of each.
    pub(crate) fn is_direct(&self) -> bool {
        self.direct.load(Ordering::Relaxed)
    }
}

impl From<&sys::CK_TOKEN_INFO> for RawTokenInfo {
    fn from(info: &sys::CK_TOKEN_INFO) -> Self {
        let limit = info.ulMaxSessionCount;
        let unlimited = limit == sys::CK_UNAVAILABLE_INFORMATION || limit == sys::CK_EFFECTIVELY_INFINITE;
        Self {
            label: info.label.to_vec(),
            manufacturer: info.manufacturerID.to_vec(),
            model: info.model.to_vec(),
            serial: info.serialNumber.to_vec(),
            flags: widened(info.flags),
            max_sessions: (!unlimited).then_some(widened(limit)),
        }
    }
}

impl From<&CryptokiTokenInfo> for RawTokenInfo {
    fn from(info: &CryptokiTokenInfo) -> Self {
        let flags = [
            (info.login_required(), sys::CKF_LOGIN_REQUIRED),
            (info.protected_authentication_path(), sys::CKF_PROTECTED_AUTHENTICATION_PATH),
            (info.token_initialized(), sys::CKF_TOKEN_INITIALIZED),
            (info.user_pin_initialized(), sys::CKF_USER_PIN_INITIALIZED),
            (info.user_pin_count_low(), sys::CKF_USER_PIN_COUNT_LOW),
            (info.user_pin_final_try(), sys::CKF_USER_PIN_FINAL_TRY),
            (info.user_pin_locked(), sys::CKF_USER_PIN_LOCKED),
            (info.user_pin_to_be_changed(), sys::CKF_USER_PIN_TO_BE_CHANGED),
        ];
        let set = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| widened(flag));
        Self {
            label: info.label().into(),
            manufacturer: info.manufacturer_id().into(),
            model: info.model().into(),
            serial: info.serial_number().into(),
            flags: set.fold(0, |flags, flag| flags | flag),
            max_sessions: info.max_session_count().into(),
        }
    }
}
