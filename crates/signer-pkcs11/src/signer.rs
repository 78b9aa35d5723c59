//! [`Pkcs11Signer`]: finds a key in a token, proves that it signs, pins its public half, and signs.

use async_trait::async_trait;
use soticket_core::{Exportability, KeyInfo, Signature, SignerError, TokenSigner};

use crate::access::{OPEN_TIME, Opened, Sessions};
use crate::builder::{Pkcs11SignerBuilder, Protection};
use crate::connection::Connection;
use crate::device::Device;
use crate::discovery::{self, Discovered};
use crate::fault::{Class, Fault};
use crate::key::KeyAttributes;
use crate::mechanism::{Mechanism, Payload};
use crate::module::Locking;
use crate::pool::{Limits, Pool, PoolStatus};
use crate::timing::now;
use crate::token::TokenInfo;

/// The name of this backend in [`KeyInfo`].
pub const BACKEND: &str = "pkcs11";

/// Signs with a private key that stays in a PKCS#11 token.
///
/// The calls to the module are made by threads of its own, each with a session, so that no executor is ever
/// blocked; a request has a deadline that holds even if the module hangs. Every signature is verified under the
/// public key that was pinned when the signer was built, before it is handed out.
///
/// Dropping the signer ends the threads, logs out by closing its sessions, and shuts the module down if no other
/// signer of the process uses it; that waits up to two seconds for calls that are under way.
#[derive(Debug)]
pub struct Pkcs11Signer {
    info: KeyInfo,
    attributes: KeyAttributes,
    token: TokenInfo,
    mechanism: Mechanism,
    pool: Pool,
}

impl Pkcs11Signer {
    /// What the token said of the key when the signer was built.
    #[must_use]
    pub fn attributes(&self) -> &KeyAttributes {
        &self.attributes
    }

    /// What the token said of itself when the signer was built.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        &self.token
    }

    /// The mechanism that was chosen, such as `CKM_RSA_PKCS`.
    #[must_use]
    pub fn mechanism(&self) -> &'static str {
        self.mechanism.name()
    }

    /// What its threads are doing; never waits for the module.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        self.pool.status()
    }
}

#[async_trait]
impl TokenSigner for Pkcs11Signer {
    fn key_info(&self) -> &KeyInfo {
        &self.info
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let payload = Payload::new(self.mechanism, message);
        Ok(self.pool.sign(payload).await?)
    }
}

/// Builds a signer, on a thread that may block.
pub(crate) fn build(builder: Pkcs11SignerBuilder) -> Result<Pkcs11Signer, SignerError> {
    let Pkcs11SignerBuilder { access, public_key, protection, limits, restart_interval, .. } = builder;
    let sessions = if limits.workers == 1 { Sessions::One } else { Sessions::Many };
    let Opened { connection, token } = access.open(sessions)?;
    let place = token.to_string();
    let discover = || {
        let described = discovery::describe(&connection, public_key.as_ref(), now() + OPEN_TIME)?;
        require(protection, &described.attributes)?;
        discovery::prove(&connection, described, now() + OPEN_TIME)
    };
    let discovered = discover().map_err(|fault| {
        connection.close(now() + OPEN_TIME);
        fault.at(&place)
    })?;
    let info = key_info(&connection, &token, &discovered);
    info.warnings().iter().for_each(|warning| tracing::warn!(key = %info, "{warning}"));
    let Discovered { attributes, public_key, settings, .. } = discovered;
    let limits = within(limits, &token, connection.module().locking());
    let device = Device { connection, settings, pinned: public_key, restart_interval, place };
    Ok(Pkcs11Signer {
        info,
        attributes,
        token,
        mechanism: settings.mechanism,
        pool: Pool::new(device, limits),
    })
}

fn require(protection: Protection, attributes: &KeyAttributes) -> Result<(), Fault> {
    match protection {
        Protection::NonExtractable if attributes.can_leave() => Err(Fault::new(
            Class::Key,
            format!(
                "a key that cannot leave the token is required, and {}; make one that is sensitive and not extractable",
                why_it_can_leave(attributes)
            ),
        )),
        _ => Ok(()),
    }
}

/// What the token, and a module that takes one thread at a time, can make use of.
fn within(limits: Limits, token: &TokenInfo, locking: Locking) -> Limits {
    // One session holds the login.
    let by_token = token
        .max_sessions()
        .map_or(usize::MAX, |most| usize::try_from(most.saturating_sub(1)).unwrap_or(usize::MAX));
    let by_module = match locking {
        Locking::Module => usize::MAX,
        Locking::Ours => 1,
    };
    Limits { workers: limits.workers.min(by_token).min(by_module).max(1), ..limits }
}

fn key_info(connection: &Connection, token: &TokenInfo, discovered: &Discovered) -> KeyInfo {
    let Discovered { key, attributes, public_key, settings, warnings } = discovered;
    let label = if key.label.is_empty() { key.uri_attributes() } else { key.label.clone() };
    let location = format!("{token}, {}", key.uri_attributes());
    let exportability =
        if attributes.can_leave() { Exportability::Exportable } else { Exportability::NonExportable };
    let mut info =
        KeyInfo::new(public_key.clone(), BACKEND, label, location).with_exportability(exportability);
    for (name, value) in attributes.named() {
        info =
            info.with_attribute(name, value.map_or_else(|| "unknown".to_owned(), |value| value.to_string()));
    }
    info = info.with_attribute("mechanism", settings.mechanism.name());
    let own = [can_leave_warning(attributes), spy_warning(connection)];
    own.into_iter().flatten().chain(warnings.iter().cloned()).fold(info, KeyInfo::with_warning)
}

fn can_leave_warning(attributes: &KeyAttributes) -> Option<String> {
    attributes.can_leave().then(|| {
        let why = why_it_can_leave(attributes);
        format!("the key can leave the token: {why}; make one that is sensitive and not extractable")
    })
}

fn why_it_can_leave(attributes: &KeyAttributes) -> String {
    let told = |name: &str, value: Option<bool>, wanted: bool| match value {
        Some(value) if value == wanted => None,
        Some(value) => Some(format!("{name} is {value}")),
        None => Some(format!("the token does not tell {name}")),
    };
    let sensitive = told("CKA_SENSITIVE", attributes.sensitive, true);
    let extractable = told("CKA_EXTRACTABLE", attributes.extractable, false);
    sensitive.into_iter().chain(extractable).collect::<Vec<_>>().join(" and ")
}

fn spy_warning(connection: &Connection) -> Option<String> {
    let file = connection.module().path().file_name()?.to_string_lossy().into_owned();
    file.contains("pkcs11-spy").then(|| {
        format!(
            "the module is `{file}`, which writes every call into a file, the PIN too; name the real module"
        )
    })
}
