//! The bare calls to a module, as a program in C makes them: what a signer is measured against.
#![allow(unsafe_code, reason = "the functions of a module are called through pointers that it hands out")]

use std::fmt;
use std::path::Path;

use cryptoki_sys::*;

/// A module that was initialised here; shut down when it is dropped.
pub struct BareModule {
    functions: CK_FUNCTION_LIST,
    slot: CK_SLOT_ID,
}

/// A session with a private key found in it.
pub struct BareSession<'a> {
    module: &'a BareModule,
    session: CK_SESSION_HANDLE,
    key: CK_OBJECT_HANDLE,
}

/// Calls a function, and stops at anything but success.
macro_rules! must {
    ($module:expr, $name:ident($($argument:expr),*)) => {{
        let function = $module.functions.$name.unwrap();
        // SAFETY: what is handed over lives through the call and is as long as is said.
        let code = unsafe { function($($argument),*) };
        assert_eq!(code, CKR_OK, stringify!($name));
    }};
}

impl BareModule {
    /// Loads and initialises the module, and takes the first token in it.
    ///
    /// # Panics
    /// When a call fails.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        // SAFETY: the benchmark names a module that it trusts.
        let library = unsafe { Pkcs11::new(path) }.unwrap();
        let mut list = std::ptr::null_mut();
        // SAFETY: the function sets the pointer that it is given.
        assert_eq!(unsafe { library.C_GetFunctionList(&mut list) }, CKR_OK);
        // SAFETY: after CKR_OK, the list is there and stays as long as the library, which is never unloaded.
        let mut module = Self { functions: unsafe { *list }, slot: 0 };
        std::mem::forget(library);
        let mut arguments =
            CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..CK_C_INITIALIZE_ARGS::default() };
        must!(module, C_Initialize((&raw mut arguments).cast()));
        let (mut slots, mut count) = ([0; 8], 8);
        must!(module, C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &mut count));
        module.slot = slots[0];
        module
    }

    /// Opens a session; the first of a module has to log in.
    ///
    /// # Panics
    /// When a call fails.
    #[must_use]
    pub fn session(&self, pin: Option<&str>) -> BareSession<'_> {
        let mut session = 0;
        must!(self, C_OpenSession(self.slot, CKF_SERIAL_SESSION, std::ptr::null_mut(), None, &mut session));
        if let Some(pin) = pin {
            must!(self, C_Login(session, CKU_USER, pin.as_ptr().cast_mut(), pin.len() as CK_ULONG));
        }
        let key = self.private_key(session);
        BareSession { module: self, session, key }
    }

    /// The first private key.
    fn private_key(&self, session: CK_SESSION_HANDLE) -> CK_OBJECT_HANDLE {
        let mut class = CKO_PRIVATE_KEY;
        let length = size_of::<CK_OBJECT_CLASS>() as CK_ULONG;
        let mut template =
            CK_ATTRIBUTE { type_: CKA_CLASS, pValue: (&raw mut class).cast(), ulValueLen: length };
        let (mut key, mut count) = (0, 0);
        must!(self, C_FindObjectsInit(session, &mut template, 1));
        must!(self, C_FindObjects(session, &mut key, 1, &mut count));
        must!(self, C_FindObjectsFinal(session));
        assert_eq!(count, 1, "one private key is in the token");
        key
    }
}

impl Drop for BareModule {
    fn drop(&mut self) {
        must!(self, C_Finalize(std::ptr::null_mut()));
    }
}

impl BareSession<'_> {
    /// One RSA signature over a `DigestInfo`, in two calls.
    ///
    /// # Panics
    /// When a call fails.
    pub fn sign(&self, digest_info: &[u8]) -> [u8; 256] {
        let mut mechanism =
            CK_MECHANISM { mechanism: CKM_RSA_PKCS, pParameter: std::ptr::null_mut(), ulParameterLen: 0 };
        let (mut signature, mut length) = ([0; 256], 256);
        let (data, data_length) = (digest_info.as_ptr().cast_mut(), digest_info.len() as CK_ULONG);
        must!(self.module, C_SignInit(self.session, &mut mechanism, self.key));
        must!(self.module, C_Sign(self.session, data, data_length, signature.as_mut_ptr(), &mut length));
        signature
    }
}

impl Drop for BareSession<'_> {
    fn drop(&mut self) {
        must!(self.module, C_CloseSession(self.session));
    }
}

impl fmt::Debug for BareModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BareModule").field("slot", &self.slot).finish_non_exhaustive()
    }
}

impl fmt::Debug for BareSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BareSession").field("session", &self.session).finish_non_exhaustive()
    }
}
