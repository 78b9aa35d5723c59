//! Looking after keys in a token: what is there, new ones, and keys that move in from outside.

mod import;
mod new_key;

use std::fmt;

use cryptoki::object::ObjectHandle;
use soticket_core::{PublicKey, SignerError};

use crate::access::{OPEN_TIME, Sessions, TokenAccess};
use crate::attributes::Object;
use crate::builder::DEFAULT_BUILD_DEADLINE;
use crate::fault::Fault;
use crate::key::{self, FoundKey, KeyAttributes};
use crate::module::{Access, Entered, OpenSession};
use crate::opening::on_own_thread;
use crate::public;
use crate::timing::now;
use crate::token::{self, TokenInfo};

pub use import::ImportKeyError;
pub use new_key::NewKeyType;

/// A private key as a token tells of it.
#[derive(Debug, Clone)]
pub struct ListedKey {
    found: FoundKey,
    key_type: String,
    public_key: Option<PublicKey>,
    attributes: KeyAttributes,
}

impl ListedKey {
    /// Its label, which may be empty.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.found.label
    }

    /// Its identifier: bytes, which may be none.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.found.id
    }

    /// Its type, such as `RSA`.
    #[must_use]
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// The public half, where the token tells it and it is of a kind that can be used.
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.public_key.as_ref()
    }

    /// What the token says of it.
    #[must_use]
    pub fn attributes(&self) -> &KeyAttributes {
        &self.attributes
    }

    /// The path attributes of a URI that names it in its token.
    #[must_use]
    pub fn uri_attributes(&self) -> String {
        self.found.uri_attributes()
    }
}

impl fmt::Display for ListedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.found.fmt(f)
    }
}

/// The tokens that a URI matches, and the private keys that it matches in them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inventory {
    /// The tokens of the module, whether the URI matches them or not.
    pub tokens: Vec<TokenInfo>,
    /// The keys, if exactly one token matches.
    pub keys: Option<(TokenInfo, Vec<ListedKey>)>,
}

impl TokenAccess {
    /// Lists the module's tokens, and the private keys in the one that the URI matches, after logging in to it.
    ///
    /// # Errors
    /// When the module does not start or a login fails. That no token or more than one matches is no error.
    pub async fn list(self) -> Result<Inventory, SignerError> {
        on_own_thread(DEFAULT_BUILD_DEADLINE, move || self.list_blocking()).await
    }

    fn list_blocking(self) -> Result<Inventory, SignerError> {
        let module = self.load()?;
        let (tokens, matching) = {
            let entered = module.enter(now() + OPEN_TIME)?;
            let tokens = token::all(&entered)?.into_iter().map(|(_, token)| token).collect();
            (tokens, token::matching(&entered, &self.uri)?.len())
        };
        let keys = match matching {
            1 => Some(self.keys_of_the_token()?),
            _ => None,
        };
        Ok(Inventory { tokens, keys })
    }

    fn keys_of_the_token(self) -> Result<(TokenInfo, Vec<ListedKey>), SignerError> {
        let wanted = self.uri.object.clone();
        let (token, keys) = self.with_session(Access::Read, move |_, open| {
            let found = key::matching(&open.session, &wanted)?;
            found.into_iter().map(|found| listed(open, found)).collect()
        })?;
        Ok((token, keys))
    }

    /// Runs `work` in a session of its own that is logged in, and closes everything after it.
    fn with_session<T>(
        self,
        access: Access,
        work: impl FnOnce(&Entered<'_>, &OpenSession) -> Result<T, Fault>,
    ) -> Result<(TokenInfo, T), SignerError> {
        let opened = self.open(Sessions::One)?;
        let outcome = (|| {
            let entered = opened.connection.module().enter(now() + OPEN_TIME)?;
            let open = opened.connection.open_session(&entered, access)?;
            let outcome = work(&entered, &open);
            entered.close(open);
            outcome
        })();
        let outcome = outcome.map_err(|fault: Fault| fault.at(&opened.token.to_string()))?;
        Ok((opened.token, outcome))
    }
}

fn listed(open: &OpenSession, found: FoundKey) -> Result<ListedKey, Fault> {
    let object = Object { session: &open.session, handle: found.handle };
    let key_type = object.key_type()?.map_or_else(|| "unknown".to_owned(), |key_type| key_type.to_string());
    let key_type = key_type.trim_start_matches("CKK_").to_owned();
    let candidates = public::candidates(&open.session, &found)?;
    let public_key = candidates.into_iter().next().map(|candidate| candidate.key);
    Ok(ListedKey { attributes: KeyAttributes::read(&object)?, found, key_type, public_key })
}

/// Takes objects out again that were put in before something failed.
fn roll_back(open: &OpenSession, objects: &[ObjectHandle]) {
    for object in objects {
        if let Err(error) = open.session.destroy_object(*object) {
            tracing::warn!(
                "an object of the failed attempt is left in the token: {}",
                crate::rv::CallError::from(error)
            );
        }
    }
}
