//! The functions that do more than hand a call on.
#![allow(unsafe_code, reason = "this is a PKCS#11 module, which C calls")]
#![allow(non_snake_case, reason = "the names are the specification's")]

use std::ffi::CString;
use std::os::raw::c_void;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use cryptoki_sys::*;

use super::calls::{EPOCH, call, log, ruled};
use super::real::real;
use super::rules::When;

/// Calls a function of the real module, or says that it has none.
macro_rules! real_call {
    ($name:ident($($argument:expr),*)) => {
        match real().$name {
            // SAFETY: the arguments are the caller's own, who vouches for them.
            Some(function) => unsafe { function($($argument),*) },
            None => CKR_FUNCTION_NOT_SUPPORTED,
        }
    };
}

pub(super) unsafe extern "C" fn C_Initialize(arguments: *mut c_void) -> CK_RV {
    let code = call("C_Initialize", 0, |_| {
        let mut own = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..CK_C_INITIALIZE_ARGS::default() };
        // SAFETY: null, or the structure that the specification has here.
        let given = unsafe { arguments.cast::<CK_C_INITIALIZE_ARGS>().as_ref() };
        let locking = given.is_some_and(|given| given.flags & CKF_OS_LOCKING_OK != 0);
        if locking && std::env::var_os("P11FAULT_CANT_LOCK").is_some() {
            return CKR_CANT_LOCK;
        }
        own.pReserved = given.map_or(std::ptr::null_mut(), |given| given.pReserved);
        if let Some(reserved) = RESERVED.as_ref() {
            own.pReserved = reserved.as_ptr().cast_mut().cast();
        }
        real_call!(C_Initialize((&raw mut own).cast()))
    });
    if code == CKR_OK {
        EPOCH.fetch_add(1, Ordering::SeqCst);
    }
    code
}

pub(super) unsafe extern "C" fn C_Finalize(reserved: *mut c_void) -> CK_RV {
    call("C_Finalize", 0, |_| {
        OPEN.store(0, Ordering::SeqCst);
        real_call!(C_Finalize(reserved))
    })
}

/// The line that leaves tells the handle that was given out.
pub(super) unsafe extern "C" fn C_OpenSession(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    application: *mut c_void,
    notify: CK_NOTIFY,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    log("enter", "C_OpenSession", slot, CKR_OK);
    let code = ruled("C_OpenSession", |effect| {
        if number("P11FAULT_MAX_SESSIONS").is_some_and(|most| OPEN.load(Ordering::SeqCst) >= most) {
            return CKR_SESSION_COUNT;
        }
        if effect.is_some_and(|effect| effect.when == When::SameHandle) {
            // SAFETY: the caller vouches for the pointer.
            unsafe { *session = LAST.load(Ordering::SeqCst) };
            return CKR_OK;
        }
        let code = real_call!(C_OpenSession(slot, flags, application, notify, session));
        if code == CKR_OK {
            OPEN.fetch_add(1, Ordering::SeqCst);
            // SAFETY: the real function has just written there.
            LAST.store(unsafe { *session }, Ordering::SeqCst);
        }
        code
    });
    let given = if code == CKR_OK { LAST.load(Ordering::SeqCst) } else { 0 };
    log("leave", "C_OpenSession", given, code);
    code
}

pub(super) unsafe extern "C" fn C_CloseSession(session: CK_SESSION_HANDLE) -> CK_RV {
    call("C_CloseSession", session, |_| {
        let code = real_call!(C_CloseSession(session));
        if code == CKR_OK {
            // More may be closed than were counted, after the real module was restarted by another.
            let _ = OPEN.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| open.checked_sub(1));
        }
        code
    })
}

pub(super) unsafe extern "C" fn C_CloseAllSessions(slot: CK_SLOT_ID) -> CK_RV {
    call("C_CloseAllSessions", slot, |_| {
        OPEN.store(0, Ordering::SeqCst);
        real_call!(C_CloseAllSessions(slot))
    })
}

pub(super) unsafe extern "C" fn C_GetTokenInfo(slot: CK_SLOT_ID, info: *mut CK_TOKEN_INFO) -> CK_RV {
    call("C_GetTokenInfo", slot, |_| {
        let code = real_call!(C_GetTokenInfo(slot, info));
        // SAFETY: after CKR_OK, the structure is there.
        if let Some(info) = unsafe { info.as_mut() }.filter(|_| code == CKR_OK) {
            info.flags |= hexadecimal("P11FAULT_TOKEN_FLAGS").first().copied().unwrap_or_default();
            if let Some(most) = number("P11FAULT_MAX_SESSIONS") {
                info.ulMaxSessionCount = most;
            }
            if std::env::var_os("P11FAULT_BAD_UTC_TIME").is_some() {
                info.flags |= CKF_CLOCK_ON_TOKEN;
                info.utcTime = [b'x'; 16];
            }
        }
        code
    })
}

pub(super) unsafe extern "C" fn C_GetMechanismList(
    slot: CK_SLOT_ID,
    list: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    call("C_GetMechanismList", slot, |_| {
        let code = real_call!(C_GetMechanismList(slot, list, count));
        if code != CKR_OK || list.is_null() || HIDDEN.is_empty() {
            return code;
        }
        // SAFETY: after CKR_OK with a list, as many are in it as is said.
        let (listed, count) = unsafe { (std::slice::from_raw_parts_mut(list, *count as usize), &mut *count) };
        let kept: Vec<_> = listed.iter().copied().filter(|mechanism| !HIDDEN.contains(mechanism)).collect();
        *count = kept.len() as CK_ULONG;
        listed.iter_mut().zip(kept).for_each(|(to, from)| *to = from);
        code
    })
}

pub(super) unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    call("C_SignInit", session, |_| {
        // SAFETY: null, or the caller's structure.
        let kind = unsafe { mechanism.as_ref() }.map(|mechanism| mechanism.mechanism);
        if kind.is_some_and(|kind| HIDDEN.contains(&kind)) {
            return CKR_MECHANISM_INVALID;
        }
        real_call!(C_SignInit(session, mechanism, key))
    })
}

pub(super) unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> CK_RV {
    call("C_Sign", session, |effect| {
        let code = real_call!(C_Sign(session, data, data_length, signature, length));
        let spoil = effect.is_some_and(|effect| effect.when == When::WrongKey);
        // SAFETY: after CKR_OK, the first byte of the signature is there.
        if let Some(first) = unsafe { signature.as_mut() }.filter(|_| spoil && code == CKR_OK) {
            *first ^= 1;
        }
        code
    })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn hexadecimal(variable: &str) -> Vec<CK_ULONG> {
    let text = std::env::var(variable).unwrap_or_default();
    let words = text.split(',').filter(|word| !word.is_empty());
    words.map(|word| CK_ULONG::from_str_radix(word.trim_start_matches("0x"), 16).unwrap()).collect()
}

static OPEN: AtomicU64 = AtomicU64::new(0);
static LAST: AtomicU64 = AtomicU64::new(0);
static HIDDEN: LazyLock<Vec<CK_ULONG>> = LazyLock::new(|| hexadecimal("P11FAULT_HIDE_MECHANISMS"));
static RESERVED: LazyLock<Option<CString>> =
    LazyLock::new(|| std::env::var("P11FAULT_RESERVED").ok().map(|text| CString::new(text).unwrap()));
