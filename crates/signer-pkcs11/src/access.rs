//! How a token is entered: by URI, PIN and module; the same for signing and for looking after keys.

use std::path::PathBuf;
use std::time::Duration;

use soticket_core::SignerError;

use crate::connection::{Anchoring, Connection, Parts, PinTries};
use crate::module;
use crate::pin::Pin;
use crate::timing::now;
use crate::token::{self, TokenInfo};
use crate::uri::Pkcs11Uri;

/// Names a token and a key in it, and how to log in.
#[derive(Debug)]
pub struct TokenAccess {
    pub(crate) uri: Pkcs11Uri,
    pin: Pin,
    module: Option<PathBuf>,
    pin_tries: PinTries,
}

/// How many sessions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    One,
    Many,
}

/// A token that was found and logged in to.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) token: TokenInfo,
}

impl TokenAccess {
    /// The token and key that `uri` names, without a PIN but the URI's own.
    #[must_use]
    pub fn new(uri: Pkcs11Uri) -> Self {
        Self { uri, pin: Pin::none(), module: None, pin_tries: PinTries::default() }
    }

    /// Where the PIN is, unless the URI says so.
    #[must_use]
    pub fn with_pin(mut self, pin: Pin) -> Self {
        self.pin = pin;
        self
    }

    /// The module's file, unless the URI names one.
    #[must_use]
    pub fn with_module(mut self, path: impl Into<PathBuf>) -> Self {
        self.module = Some(path.into());
        self
    }

    /// Whether the PIN is tried though one more wrong one would lock the token; without this it is not.
    #[must_use]
    pub fn with_pin_tries(mut self, tries: PinTries) -> Self {
        self.pin_tries = tries;
        self
    }

    /// Loads the module.
    pub(crate) fn load(&self) -> Result<std::sync::Arc<module::Module>, SignerError> {
        for ignored in &self.uri.ignored {
            tracing::warn!("`{ignored}` in the PKCS#11 URI is not known here, and changes nothing");
        }
        let path = module::locate(self.uri.module.as_ref(), self.module.as_deref())?;
        Ok(module::open(&path, self.uri.initialize_arguments.as_deref())?)
    }

    /// Finds the token and logs in; the PIN is looked up only if the token wants one.
    pub(crate) fn open(self, sessions: Sessions) -> Result<Opened, SignerError> {
        let module = self.load()?;
        let token = token::select(&module.enter(now() + OPEN_TIME)?, &self.uri)?.1;
        // Outside of the module: a prompt takes its time.
        let pin = match token.login_required() {
            true if token.protected_authentication_path() && self.uri.pin.is_none() => None,
            true => Some(self.pin.resolve(self.uri.pin.as_ref())?),
            false => None,
        };
        let anchoring = match (sessions, token.max_sessions()) {
            (Sessions::One, _) | (_, Some(0 | 1)) => Anchoring::OnlySession,
            _ => Anchoring::OwnSession,
        };
        let parts = Parts { module, uri: self.uri, pin, tries: self.pin_tries, anchoring };
        let connection = Connection::open(parts, now() + OPEN_TIME);
        let connection = connection.map_err(|fault| fault.at(&token.to_string()))?;
        Ok(Opened { connection, token })
    }
}

/// How long finding a token and logging in may wait for other threads of this process.
pub(crate) const OPEN_TIME: Duration = Duration::from_secs(30);
