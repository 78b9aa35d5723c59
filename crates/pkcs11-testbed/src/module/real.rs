//! The real module behind this one.
#![allow(unsafe_code, reason = "a module is loaded and asked for its functions")]

use std::sync::OnceLock;

use cryptoki_sys::{CK_FUNCTION_LIST, CKR_OK, Pkcs11};

/// The real module's functions; loads it at the first call.
pub(super) fn real() -> &'static CK_FUNCTION_LIST {
    static REAL: OnceLock<CK_FUNCTION_LIST> = OnceLock::new();
    REAL.get_or_init(load)
}

fn load() -> CK_FUNCTION_LIST {
    let path = std::env::var_os("P11FAULT_MODULE").expect("P11FAULT_MODULE names the real module");
    // SAFETY: the test names a module that it trusts.
    let module = unsafe { Pkcs11::new(&path) }.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut list = std::ptr::null_mut();
    // SAFETY: the function sets the pointer that it is given.
    let code = unsafe { module.C_GetFunctionList(&mut list) };
    assert_eq!(code, CKR_OK, "C_GetFunctionList of {}", path.display());
    // SAFETY: after CKR_OK, the list is there and stays as long as the module, which is never unloaded.
    let functions = unsafe { *list };
    std::mem::forget(module);
    functions
}
