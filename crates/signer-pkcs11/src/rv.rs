//! Return codes: their names, their numbers, and the function that answered.

use cryptoki::context::Function;
use cryptoki::error::{Error, Rv, RvError};
use cryptoki_sys as sys;
use cryptoki_sys::CK_RV;
use thiserror::Error;

/// What went wrong in a call to the module, with the module's own code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The function answered a code other than `CKR_OK`.
    #[error("{function} answered {} (0x{code:08X})", name(*code))]
    #[non_exhaustive]
    Answered {
        /// The function, such as `C_Sign`.
        function: String,
        /// The code, such as `0x30` for `CKR_DEVICE_ERROR`.
        code: u64,
    },
    /// What the function answered is not what the specification allows, or the module cannot be loaded.
    #[error("{0}")]
    Unusable(String),
}

impl CallError {
    pub(crate) fn answered(function: &str, code: CK_RV) -> Self {
        Self::Answered { function: function.to_owned(), code: widened(code) }
    }

    /// The module's code, if it answered one.
    #[must_use]
    pub fn code(&self) -> Option<u64> {
        match self {
            Self::Answered { code, .. } => Some(*code),
            Self::Unusable(_) => None,
        }
    }

    pub(crate) fn is(&self, code: CK_RV) -> bool {
        self.code() == Some(widened(code))
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(code, function) => Self::answered(&function_name(function), number(code)),
            Error::LibraryLoading(cause) => Self::Unusable(cause.to_string()),
            other => Self::Unusable(format!("the module answered what cannot be used: {other}")),
        }
    }
}

/// The name of `code`, as the specification writes it.
pub(crate) fn name(code: u64) -> &'static str {
    let known = CODES.iter().find(|(known, _)| widened(*known) == code);
    match known {
        Some((_, name)) => name,
        None if code >= widened(sys::CKR_VENDOR_DEFINED) => "a code of the module's maker",
        None => "a code that the specification does not know",
    }
}

/// A number of the module's, which is as wide as the platform's C makes it.
#[allow(clippy::useless_conversion, reason = "a C long has 32 bits on some platforms")]
pub(crate) fn widened(number: sys::CK_ULONG) -> u64 {
    u64::from(number)
}

fn function_name(function: Function) -> String {
    format!("C_{function:?}")
}

/// The number behind a code that cryptoki has turned into a name of its own.
fn number(code: RvError) -> CK_RV {
    match code {
        RvError::VendorDefined(number) | RvError::UnknownErrorCode(number) => number,
        named => CODES
            .iter()
            .map(|(number, _)| *number)
            .find(|number| Rv::from(*number) == Rv::Error(named))
            .unwrap_or(sys::CKR_GENERAL_ERROR),
    }
}

/// A table of codes and their names.
macro_rules! codes {
    ($($code:ident),* $(,)?) => { &[$((sys::$code, stringify!($code))),*] };
}

/// Those that cryptoki knows come first, since it complains aloud of each that it does not know.
const CODES: &[(CK_RV, &str)] = codes![
    CKR_OK,
    CKR_CANCEL,
    CKR_HOST_MEMORY,
    CKR_SLOT_ID_INVALID,
    CKR_GENERAL_ERROR,
    CKR_FUNCTION_FAILED,
    CKR_ARGUMENTS_BAD,
    CKR_NO_EVENT,
    CKR_NEED_TO_CREATE_THREADS,
    CKR_CANT_LOCK,
    CKR_ATTRIBUTE_READ_ONLY,
    CKR_ATTRIBUTE_SENSITIVE,
    CKR_ATTRIBUTE_TYPE_INVALID,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_ACTION_PROHIBITED,
    CKR_DATA_INVALID,
    CKR_DATA_LEN_RANGE,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_DEVICE_REMOVED,
    CKR_ENCRYPTED_DATA_INVALID,
    CKR_ENCRYPTED_DATA_LEN_RANGE,
    CKR_FUNCTION_CANCELED,
    CKR_FUNCTION_NOT_PARALLEL,
    CKR_FUNCTION_NOT_SUPPORTED,
    CKR_CURVE_NOT_SUPPORTED,
    CKR_KEY_HANDLE_INVALID,
    CKR_KEY_SIZE_RANGE,
    CKR_KEY_TYPE_INCONSISTENT,
    CKR_KEY_NOT_NEEDED,
    CKR_KEY_CHANGED,
    CKR_KEY_NEEDED,
    CKR_KEY_INDIGESTIBLE,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_KEY_NOT_WRAPPABLE,
    CKR_KEY_UNEXTRACTABLE,
    CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_OPERATION_ACTIVE,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_PIN_INCORRECT,
    CKR_PIN_INVALID,
    CKR_PIN_LEN_RANGE,
    CKR_PIN_EXPIRED,
    CKR_PIN_LOCKED,
    CKR_SESSION_CLOSED,
    CKR_SESSION_COUNT,
    CKR_SESSION_HANDLE_INVALID,
    CKR_SESSION_PARALLEL_NOT_SUPPORTED,
    CKR_SESSION_READ_ONLY,
    CKR_SESSION_EXISTS,
    CKR_SESSION_READ_ONLY_EXISTS,
    CKR_SESSION_READ_WRITE_SO_EXISTS,
    CKR_SIGNATURE_INVALID,
    CKR_SIGNATURE_LEN_RANGE,
    CKR_TEMPLATE_INCOMPLETE,
    CKR_TEMPLATE_INCONSISTENT,
    CKR_TOKEN_NOT_PRESENT,
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_TOKEN_WRITE_PROTECTED,
    CKR_UNWRAPPING_KEY_HANDLE_INVALID,
    CKR_UNWRAPPING_KEY_SIZE_RANGE,
    CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
    CKR_USER_ALREADY_LOGGED_IN,
    CKR_USER_NOT_LOGGED_IN,
    CKR_USER_PIN_NOT_INITIALIZED,
    CKR_USER_TYPE_INVALID,
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
    CKR_USER_TOO_MANY_TYPES,
    CKR_WRAPPED_KEY_INVALID,
    CKR_WRAPPED_KEY_LEN_RANGE,
    CKR_WRAPPING_KEY_HANDLE_INVALID,
    CKR_WRAPPING_KEY_SIZE_RANGE,
    CKR_WRAPPING_KEY_TYPE_INCONSISTENT,
    CKR_RANDOM_SEED_NOT_SUPPORTED,
    CKR_RANDOM_NO_RNG,
    CKR_DOMAIN_PARAMS_INVALID,
    CKR_BUFFER_TOO_SMALL,
    CKR_SAVED_STATE_INVALID,
    CKR_INFORMATION_SENSITIVE,
    CKR_STATE_UNSAVEABLE,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_CRYPTOKI_ALREADY_INITIALIZED,
    CKR_MUTEX_BAD,
    CKR_MUTEX_NOT_LOCKED,
    CKR_NEW_PIN_MODE,
    CKR_NEXT_OTP,
    CKR_EXCEEDED_MAX_ITERATIONS,
    CKR_FIPS_SELF_TEST_FAILED,
    CKR_LIBRARY_LOAD_FAILED,
    CKR_PIN_TOO_WEAK,
    CKR_PUBLIC_KEY_INVALID,
    CKR_FUNCTION_REJECTED,
    CKR_VENDOR_DEFINED,
    // From here on those of PKCS#11 3.x that cryptoki hands on as numbers.
    CKR_AEAD_DECRYPT_FAILED,
    CKR_KEY_EXHAUSTED,
    CKR_OPERATION_CANCEL_FAILED,
    CKR_OPERATION_NOT_VALIDATED,
    CKR_PARAMETER_SET_NOT_SUPPORTED,
    CKR_PENDING,
    CKR_SEED_RANDOM_REQUIRED,
    CKR_SESSION_ASYNC_NOT_SUPPORTED,
    CKR_TOKEN_NOT_INITIALIZED,
    CKR_TOKEN_RESOURCE_EXCEEDED,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_by_function_name_and_number() {
        let told = |code| CallError::from(Error::Pkcs11(code, Function::Sign)).to_string();
        assert_eq!(told(RvError::DeviceError), "C_Sign answered CKR_DEVICE_ERROR (0x00000030)");
        assert_eq!(
            told(RvError::VendorDefined(0x8000_0042)),
            "C_Sign answered a code of the module's maker (0x80000042)"
        );
        let pending = told(RvError::UnknownErrorCode(sys::CKR_PENDING));
        assert!(pending.starts_with("C_Sign answered CKR_PENDING (0x"), "{pending}");
    }

    #[test]
    fn every_code_survives_the_way_through_cryptoki() {
        for (code, name) in CODES.iter().filter(|(code, _)| *code != sys::CKR_OK) {
            let Rv::Error(error) = Rv::from(*code) else { panic!("{name} is taken for success") };
            assert_eq!(number(error), *code, "{name}");
        }
    }
}
