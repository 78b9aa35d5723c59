//! The calls that cryptoki 0.12 does not make as they are needed here; the only unsafe code of this crate.
//!
//! - `C_Sign` in one round trip: cryptoki asks for the length first, which doubles the time against a remote
//!   device, and makes keys with `CKA_ALWAYS_AUTHENTICATE` unusable.
//! - `C_GetTokenInfo` without cryptoki's reading of the clock, which some modules fill with what is no time and
//!   which then fails for the whole token.
//! - `C_GetMechanismList` without an error in the log for each mechanism that cryptoki has no name for.
//! - `C_Initialize` with a reserved argument, which NSS needs.
#![allow(unsafe_code, reason = "the functions of a module are called through pointers that it hands out")]

use std::ffi::CString;
use std::path::Path;
use std::ptr::{self, NonNull};

use cryptoki::context::{CInitializeArgs, CInitializeFlags};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use cryptoki_sys as sys;
use cryptoki_sys::{CK_RV, CK_TOKEN_INFO, CK_ULONG, CKR_OK};

use crate::rv::CallError;

type SignFunction = unsafe extern "C" fn(
    sys::CK_SESSION_HANDLE,
    *mut sys::CK_BYTE,
    CK_ULONG,
    *mut sys::CK_BYTE,
    *mut CK_ULONG,
) -> CK_RV;
type TokenInfoFunction = unsafe extern "C" fn(sys::CK_SLOT_ID, *mut CK_TOKEN_INFO) -> CK_RV;
type SlotListFunction = unsafe extern "C" fn(sys::CK_BBOOL, *mut sys::CK_SLOT_ID, *mut CK_ULONG) -> CK_RV;
type MechanismListFunction =
    unsafe extern "C" fn(sys::CK_SLOT_ID, *mut sys::CK_MECHANISM_TYPE, *mut CK_ULONG) -> CK_RV;

/// Functions of a module that is loaded, and stays so until the process ends: many crash when they are unloaded,
/// and the system closes everything better than they do.
#[derive(Debug)]
pub(crate) struct Functions {
    sign: SignFunction,
    token_info: TokenInfoFunction,
    mechanism_list: MechanismListFunction,
    slot_list: SlotListFunction,
}

impl Functions {
    /// Loads the shared library at `path`, which runs its start-up code with all rights of this process.
    pub(crate) fn load(path: &Path) -> Result<Self, CallError> {
        // SAFETY: whoever names a module trusts it; nothing else of it is relied upon before it is asked.
        let library = unsafe { sys::Pkcs11::new(path) };
        let library = library.map_err(|cause| CallError::Unusable(cause.to_string()))?;
        if library.C_GetFunctionList.is_err() {
            return Err(CallError::Unusable("the file exports no C_GetFunctionList".to_owned()));
        }
        let mut list = ptr::null_mut();
        // SAFETY: the function is there, and takes the address of a pointer that it sets.
        let code = unsafe { library.C_GetFunctionList(&mut list) };
        // SAFETY: after CKR_OK, the pointer is null or points to a list that lives as long as the library.
        let list = unsafe { list.as_ref() }.filter(|_| code == CKR_OK);
        let list = list.ok_or_else(|| CallError::answered("C_GetFunctionList", code))?;
        // The list is packed on some systems: each pointer is copied out.
        let functions = (list.C_Sign, list.C_GetTokenInfo, list.C_GetMechanismList, list.C_GetSlotList);
        let (Some(sign), Some(token_info), Some(mechanism_list), Some(slot_list)) = functions else {
            return Err(CallError::Unusable("the module's function list has holes".to_owned()));
        };
        // The pointers above are good only while the library is loaded.
        std::mem::forget(library);
        Ok(Self { sign, token_info, mechanism_list, slot_list })
    }

    /// Whether these functions know that the module was initialised through another function list of it. In most
    /// modules all lists are one; p11-kit's client makes each a connection of its own.
    pub(crate) fn are_initialized(&self) -> bool {
        let mut count = 0;
        // SAFETY: without a buffer, the function only tells how many there are.
        let code = unsafe { (self.slot_list)(sys::CK_FALSE, ptr::null_mut(), &mut count) };
        code != sys::CKR_CRYPTOKI_NOT_INITIALIZED
    }

    /// Ends a signature that `C_SignInit` began, in one call, into a buffer of `length` bytes.
    pub(crate) fn sign(&self, session: &Session, data: &[u8], length: usize) -> Result<Vec<u8>, CallError> {
        let mut signature = vec![0; length];
        let mut written = as_ulong(length)?;
        // SAFETY: both buffers live through the call and are as long as is said; the module reads the first,
        // whose pointer is mutable only because C of its time had no other, and writes at most `written` bytes
        // to the second.
        let code = unsafe {
            (self.sign)(
                session.handle(),
                data.as_ptr().cast_mut(),
                as_ulong(data.len())?,
                signature.as_mut_ptr(),
                &mut written,
            )
        };
        if code != CKR_OK {
            return Err(CallError::answered("C_Sign", code));
        }
        signature.truncate(usize::try_from(written).unwrap_or(length));
        Ok(signature)
    }

    /// What the token says of itself, as it says it.
    pub(crate) fn token_info(&self, slot: Slot) -> Result<CK_TOKEN_INFO, CallError> {
        let mut info = CK_TOKEN_INFO::default();
        // SAFETY: the structure lives through the call, which fills it.
        let code = unsafe { (self.token_info)(slot.into(), &mut info) };
        if code == CKR_OK { Ok(info) } else { Err(CallError::answered("C_GetTokenInfo", code)) }
    }

    /// The mechanisms that the token lists.
    pub(crate) fn mechanisms(&self, slot: Slot) -> Result<Vec<sys::CK_MECHANISM_TYPE>, CallError> {
        let failed = |code| CallError::answered("C_GetMechanismList", code);
        let mut count = 0;
        // SAFETY: without a buffer, the function only tells how many there are.
        let code = unsafe { (self.mechanism_list)(slot.into(), ptr::null_mut(), &mut count) };
        if code != CKR_OK {
            return Err(failed(code));
        }
        let mut mechanisms = vec![0; usize::try_from(count).unwrap_or_default()];
        // SAFETY: the buffer lives through the call and has room for as many as is said.
        let code = unsafe { (self.mechanism_list)(slot.into(), mechanisms.as_mut_ptr(), &mut count) };
        if code != CKR_OK {
            return Err(failed(code));
        }
        mechanisms.truncate(usize::try_from(count).unwrap_or_default());
        Ok(mechanisms)
    }
}

/// What `C_Initialize` is given, with `text` as the reserved argument if there is any. It is good while `text` lives.
pub(crate) fn initialize_arguments(flags: CInitializeFlags, text: Option<&CString>) -> CInitializeArgs {
    match text.and_then(|text| NonNull::new(text.as_ptr().cast_mut().cast())) {
        None => CInitializeArgs::new(flags),
        // SAFETY: the text ends with a NUL, as modules that take one expect, and lives through the call; who
        // configures it has to know that the module takes a text.
        Some(reserved) => unsafe { CInitializeArgs::new_with_reserved(flags, reserved) },
    }
}

fn as_ulong(length: usize) -> Result<CK_ULONG, CallError> {
    CK_ULONG::try_from(length)
        .map_err(|_| CallError::Unusable("a length that the module cannot take".to_owned()))
}
