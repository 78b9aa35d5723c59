//! What the commands that look after keys in tokens share.

use soticket::SignerUri;
use soticket::pkcs11::{ListedKey, Pin, TokenAccess, TokenInfo};

use crate::args::TokenArgs;
use crate::failure::Failure;
use crate::secret_input::SharedSecret;
use crate::settings::pin_tries;

/// The way into the token that `uri` names.
pub(crate) fn access(uri: &SignerUri, pin: &SharedSecret, token: &TokenArgs) -> Result<TokenAccess, Failure> {
    let Some(pkcs11) = uri.as_pkcs11() else {
        return Err(Failure::configuration(format!(
            "`{uri}` is no token; name one as `pkcs11:token=…;object=…?module-path=…` (keys in AWS KMS are made and listed by \
             AWS's own tools)"
        )));
    };
    let pin = pin.clone();
    let pin = Pin::callback(move || pin.read_for_signer());
    Ok(TokenAccess::new(pkcs11.clone()).with_pin(pin).with_pin_tries(pin_tries(token)))
}

/// A key in a token, for people; the URI can be copied from it.
pub(super) fn told(token: &TokenInfo, key: &ListedKey) -> String {
    let uri = format!("pkcs11:{};{}", token.uri_attributes(), key.uri_attributes());
    match key.public_key() {
        Some(public) => format!(
            "{uri} ({} with {} bits, public half SHA-256 {})",
            public.algorithm(),
            public.bits(),
            public.fingerprint()
        ),
        None => uri,
    }
}
