//! The key in the platform's keyring: the kernel's on Linux, the login keychain on macOS, the Credential Manager on
//! Windows.

use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use soticket_core::store::{StoreError, StoreErrorKind};
use zeroize::Zeroizing;

use crate::key::StoreKey;

impl StoreKey {
    /// The key that the platform's keyring keeps under `name` for this process's user, made if there is none. Blocks.
    ///
    /// On Linux that is the kernel's keyring, which forgets it when the machine is restarted, and when nobody asked for
    /// some days: what was kept under it is then exchanged for anew. It takes a session keyring, which a login and
    /// systemd give to whatever they start.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`] when there is no keyring, it cannot be used, or what it keeps under `name` is no
    /// store key.
    pub fn from_keyring(name: &str) -> Result<Self, StoreError> {
        let entry = platform().and_then(|keyring| keyring.build(SERVICE, name, None));
        let entry = entry.map_err(|cause| unusable(name, &cause))?;
        if let Some(key) = read(&entry, name)? {
            return Ok(key);
        }
        let key = Self::generate()?;
        entry.set_password(key.to_secret_text().expose()).map_err(|cause| unusable(name, &cause))?;
        // Another process may have made one at the same time: whichever is there now is everybody's.
        Ok(read(&entry, name)?.unwrap_or(key))
    }
}

fn read(entry: &Entry, name: &str) -> Result<Option<StoreKey>, StoreError> {
    match entry.get_password().map(Zeroizing::new) {
        Ok(text) => text.parse().map(Some).map_err(|error| {
            let message = format!("what the keyring keeps for soticket under `{name}`: {error}");
            StoreError::new(StoreErrorKind::Configuration, message)
        }),
        Err(Error::NoEntry) => Ok(None),
        Err(cause) => Err(unusable(name, &cause)),
    }
}

/// In words alone: the error itself may hold what the keyring keeps.
fn unusable(name: &str, cause: &Error) -> StoreError {
    let cause = match cause {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what it keeps is no text".to_owned(),
        Error::Ambiguous(_) => "it keeps several".to_owned(),
        other => other.to_string(),
    };
    StoreError::new(
        StoreErrorKind::Configuration,
        format!("the store key `{name}` cannot be had from the keyring ({cause}); {REMEDY}"),
    )
}

#[cfg(target_os = "linux")]
fn platform() -> keyring_core::Result<Arc<impl CredentialStoreApi>> {
    linux_keyutils_keyring_store::Store::new()
}

#[cfg(target_os = "macos")]
fn platform() -> keyring_core::Result<Arc<impl CredentialStoreApi>> {
    apple_native_keyring_store::keychain::Store::new()
}

#[cfg(windows)]
fn platform() -> keyring_core::Result<Arc<impl CredentialStoreApi>> {
    windows_native_keyring_store::Store::new()
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn platform() -> keyring_core::Result<Arc<keyring_core::CredentialStore>> {
    Err(Error::NotSupportedByStore("soticket knows none of this platform's".to_owned()))
}

#[cfg(target_os = "linux")]
const REMEDY: &str = "it takes a session keyring, which a login and systemd give, and in a container or a bare shell \
                      `keyctl session - COMMAND` does; or give the key in a file";
#[cfg(not(target_os = "linux"))]
const REMEDY: &str = "unlock it, or give the key in a file";

/// Whose entries they are.
const SERVICE: &str = "soticket";
