//! The signing key: what opens it, and the secrets that it may take.

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(any(feature = "pkcs11", all(feature = "pem", feature = "aws-kms")))]
use soticket::SignerUri;
use soticket::{OpenSignerOptions, TokenSigner};

#[cfg(any(feature = "pkcs11", all(feature = "pem", feature = "aws-kms")))]
use super::{Said, parse};
use super::{Settings, public_key};
use crate::args::TokenArgs;
use crate::failure::Failure;
use crate::secret_input::{Prompt, SecretInput, SharedSecret};

impl Settings {
    /// Opens the signer, asking for a passphrase only if its key is encrypted, and for a PIN only if its token
    /// wants one.
    pub(crate) async fn signer(&self) -> Result<Arc<dyn TokenSigner>, Failure> {
        let (passphrase, pin) = (self.key_passphrase(), self.pin.clone());
        let mut options = OpenSignerOptions::new()
            .with_passphrase(move || passphrase.read_for_signer())
            .with_pin(move || pin.read_for_signer());
        options = with_pin_tries(options, &self.args.token);
        if let Some(path) = self.args.signer_public_key.as_ref().or(self.file.signer_public_key.as_ref()) {
            options = options.with_public_key(public_key(path)?);
        }
        if self.args.require_non_extractable || self.file.require_non_extractable {
            options = options.require_non_extractable();
        }
        Ok(self.signer_uri()?.open(options).await?)
    }

    pub(crate) fn key_passphrase(&self) -> SecretInput {
        let flag = self.args.key_passphrase_file.clone();
        key_passphrase(flag, self.file.key_passphrase_file.clone())
    }

    /// The token's PIN, which is asked for once however often it is needed.
    #[cfg(feature = "pkcs11")]
    pub(crate) fn pin(&self) -> &SharedSecret {
        &self.pin
    }

    /// What was said of the token beside its URI.
    #[cfg(feature = "pkcs11")]
    pub(crate) fn token_args(&self) -> &TokenArgs {
        &self.args.token
    }
}

/// The signer of a command that has no use for the other settings: the flag's, else the environment's.
#[cfg(any(feature = "pkcs11", all(feature = "pem", feature = "aws-kms")))]
pub(crate) fn named_signer(flag: Option<&str>) -> Result<SignerUri, Failure> {
    let said = match (flag, std::env::var("SOTICKET_SIGNER")) {
        (Some(text), _) => Said { text: text.to_owned(), origin: "--signer".to_owned() },
        (None, Ok(text)) => Said { text, origin: "SOTICKET_SIGNER".to_owned() },
        (None, Err(_)) => {
            return Err(Failure::configuration(
                "no key's place is named; use --signer, or set SOTICKET_SIGNER",
            ));
        }
    };
    parse(&said)
}

/// Where the passphrase of an encrypted key comes from.
pub(crate) fn key_passphrase(flag: Option<PathBuf>, settings: Option<PathBuf>) -> SecretInput {
    SecretInput {
        what: "key's passphrase",
        variable: Some("SOTICKET_KEY_PASSPHRASE"),
        flag: Some("--key-passphrase-file"),
        file_of_flag: flag,
        file_of_settings: settings,
        prompt: Prompt::Once,
    }
}

/// Where the PIN of a PKCS#11 token comes from, unless its URI says so.
pub(crate) fn pkcs11_pin(token: &TokenArgs, settings: Option<PathBuf>) -> SharedSecret {
    SharedSecret::new(SecretInput {
        what: "PIN of the PKCS#11 token",
        variable: Some("SOTICKET_PKCS11_PIN"),
        flag: Some("--pkcs11-pin-file"),
        file_of_flag: token.pkcs11_pin_file.clone(),
        file_of_settings: settings,
        prompt: Prompt::Once,
    })
}

/// Passes on whether a PIN is tried though the token is near to locking it.
#[cfg(feature = "pkcs11")]
pub(crate) fn with_pin_tries(options: OpenSignerOptions, token: &TokenArgs) -> OpenSignerOptions {
    options.with_pin_tries(pin_tries(token))
}

/// Without the backend, no PIN is tried at all.
#[cfg(not(feature = "pkcs11"))]
pub(crate) fn with_pin_tries(options: OpenSignerOptions, _: &TokenArgs) -> OpenSignerOptions {
    options
}

/// Whether a PIN is tried though the token is near to locking it.
#[cfg(feature = "pkcs11")]
pub(crate) fn pin_tries(token: &TokenArgs) -> soticket::pkcs11::PinTries {
    match token.pkcs11_force_pin {
        true => soticket::pkcs11::PinTries::Forced,
        false => soticket::pkcs11::PinTries::Careful,
    }
}
