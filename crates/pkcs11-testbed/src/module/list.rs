//! The function list that callers get.
#![allow(unsafe_code, reason = "this is a PKCS#11 module, which C calls")]
#![allow(non_snake_case, reason = "the names are the specification's")]

use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR, CK_RV, CK_VERSION, CKR_ARGUMENTS_BAD, CKR_OK,
};

use super::{forwarded, special};

/// A list that is never written to.
struct SharedList(CK_FUNCTION_LIST);

// SAFETY: function pointers, which all threads may call.
unsafe impl Sync for SharedList {}

/// The one function that a module exports.
///
/// # Safety
/// `list` is null or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: the caller vouches for the pointer, and never writes through what it gets.
    unsafe { *list = (&raw const LIST.0).cast_mut() };
    CKR_OK
}

static LIST: SharedList = SharedList(CK_FUNCTION_LIST {
    version: CK_VERSION { major: 2, minor: 40 },
    C_Initialize: Some(special::C_Initialize),
    C_Finalize: Some(special::C_Finalize),
    C_GetInfo: Some(forwarded::C_GetInfo),
    C_GetFunctionList: Some(C_GetFunctionList),
    C_GetSlotList: Some(forwarded::C_GetSlotList),
    C_GetSlotInfo: Some(forwarded::C_GetSlotInfo),
    C_GetTokenInfo: Some(special::C_GetTokenInfo),
    C_GetMechanismList: Some(special::C_GetMechanismList),
    C_GetMechanismInfo: Some(forwarded::C_GetMechanismInfo),
    C_InitToken: Some(forwarded::C_InitToken),
    C_InitPIN: Some(forwarded::C_InitPIN),
    C_SetPIN: Some(forwarded::C_SetPIN),
    C_OpenSession: Some(special::C_OpenSession),
    C_CloseSession: Some(special::C_CloseSession),
    C_CloseAllSessions: Some(special::C_CloseAllSessions),
    C_GetSessionInfo: Some(forwarded::C_GetSessionInfo),
    C_GetOperationState: Some(forwarded::C_GetOperationState),
    C_SetOperationState: Some(forwarded::C_SetOperationState),
    C_Login: Some(forwarded::C_Login),
    C_Logout: Some(forwarded::C_Logout),
    C_CreateObject: Some(forwarded::C_CreateObject),
    C_CopyObject: Some(forwarded::C_CopyObject),
    C_DestroyObject: Some(forwarded::C_DestroyObject),
    C_GetObjectSize: Some(forwarded::C_GetObjectSize),
    C_GetAttributeValue: Some(forwarded::C_GetAttributeValue),
    C_SetAttributeValue: Some(forwarded::C_SetAttributeValue),
    C_FindObjectsInit: Some(forwarded::C_FindObjectsInit),
    C_FindObjects: Some(forwarded::C_FindObjects),
    C_FindObjectsFinal: Some(forwarded::C_FindObjectsFinal),
    C_EncryptInit: Some(forwarded::C_EncryptInit),
    C_Encrypt: Some(forwarded::C_Encrypt),
    C_EncryptUpdate: Some(forwarded::C_EncryptUpdate),
    C_EncryptFinal: Some(forwarded::C_EncryptFinal),
    C_DecryptInit: Some(forwarded::C_DecryptInit),
    C_Decrypt: Some(forwarded::C_Decrypt),
    C_DecryptUpdate: Some(forwarded::C_DecryptUpdate),
    C_DecryptFinal: Some(forwarded::C_DecryptFinal),
    C_DigestInit: Some(forwarded::C_DigestInit),
    C_Digest: Some(forwarded::C_Digest),
    C_DigestUpdate: Some(forwarded::C_DigestUpdate),
    C_DigestKey: Some(forwarded::C_DigestKey),
    C_DigestFinal: Some(forwarded::C_DigestFinal),
    C_SignInit: Some(special::C_SignInit),
    C_Sign: Some(special::C_Sign),
    C_SignUpdate: Some(forwarded::C_SignUpdate),
    C_SignFinal: Some(forwarded::C_SignFinal),
    C_SignRecoverInit: Some(forwarded::C_SignRecoverInit),
    C_SignRecover: Some(forwarded::C_SignRecover),
    C_VerifyInit: Some(forwarded::C_VerifyInit),
    C_Verify: Some(forwarded::C_Verify),
    C_VerifyUpdate: Some(forwarded::C_VerifyUpdate),
    C_VerifyFinal: Some(forwarded::C_VerifyFinal),
    C_VerifyRecoverInit: Some(forwarded::C_VerifyRecoverInit),
    C_VerifyRecover: Some(forwarded::C_VerifyRecover),
    C_DigestEncryptUpdate: Some(forwarded::C_DigestEncryptUpdate),
    C_DecryptDigestUpdate: Some(forwarded::C_DecryptDigestUpdate),
    C_SignEncryptUpdate: Some(forwarded::C_SignEncryptUpdate),
    C_DecryptVerifyUpdate: Some(forwarded::C_DecryptVerifyUpdate),
    C_GenerateKey: Some(forwarded::C_GenerateKey),
    C_GenerateKeyPair: Some(forwarded::C_GenerateKeyPair),
    C_WrapKey: Some(forwarded::C_WrapKey),
    C_UnwrapKey: Some(forwarded::C_UnwrapKey),
    C_DeriveKey: Some(forwarded::C_DeriveKey),
    C_SeedRandom: Some(forwarded::C_SeedRandom),
    C_GenerateRandom: Some(forwarded::C_GenerateRandom),
    C_GetFunctionStatus: Some(forwarded::C_GetFunctionStatus),
    C_CancelFunction: Some(forwarded::C_CancelFunction),
    C_WaitForSlotEvent: Some(forwarded::C_WaitForSlotEvent),
});
