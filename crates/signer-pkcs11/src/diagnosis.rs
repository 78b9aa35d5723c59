//! Every link between a URI and a signature, checked in order, for people who look for the broken one.

use soticket_core::SignerError;

use crate::access::{OPEN_TIME, Sessions, TokenAccess};
use crate::builder::DEFAULT_BUILD_DEADLINE;
use crate::connection::Connection;
use crate::discovery::{self, Description};
use crate::fault::Fault;
use crate::key::KeyAttributes;
use crate::module::Access;
use crate::opening::on_own_thread;
use crate::timing::now;
use crate::token::{self, PinCounter, TokenInfo};

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// The module loads and starts.
    Module,
    /// The token is found.
    Token,
    /// The counter of wrong PINs allows a try.
    PinCounter,
    /// The login succeeds.
    Login,
    /// The key is found.
    Key,
    /// The key's attributes are those of a key that is safe.
    Attributes,
    /// A mechanism signs, and its signature verifies.
    Signature,
}

impl Link {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Module,
        Self::Token,
        Self::PinCounter,
        Self::Login,
        Self::Key,
        Self::Attributes,
        Self::Signature,
    ];

    /// A short name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Module => "PKCS#11 module",
            Self::Token => "token",
            Self::PinCounter => "PIN counter",
            Self::Login => "login",
            Self::Key => "key",
            Self::Attributes => "key attributes",
            Self::Signature => "signature",
        }
    }
}

/// How a link was found. After the first that is broken, none is checked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finding {
    /// In order, with what was found.
    Ok(Link, String),
    /// In use, but somebody should look at it.
    Warning(Link, String),
    /// Broken.
    Broken(Link, SignerError),
}

impl TokenAccess {
    /// Checks every link, to a signature that verifies; stops at the first that is broken. That the token keeps no
    /// public half to verify it under is no break, since whoever opens a signer may have it: it is warned of.
    pub async fn diagnose(self) -> Vec<Finding> {
        let outcome = on_own_thread(DEFAULT_BUILD_DEADLINE, move || {
            let mut findings = Vec::new();
            // What broke is the last finding.
            let _ = examine(self, &mut findings);
            Ok(findings)
        });
        outcome.await.unwrap_or_else(|error| vec![Finding::Broken(Link::Module, error)])
    }
}

struct Broken;

fn examine(access: TokenAccess, findings: &mut Vec<Finding>) -> Result<(), Broken> {
    let module = broken_at(Link::Module, access.load(), findings)?;
    let entered = broken_at(Link::Module, module.enter(now() + OPEN_TIME), findings)?;
    findings.push(Finding::Ok(Link::Module, module_told(&entered)));
    let (_, token) = broken_at(Link::Token, token::select(&entered, &access.uri), findings)?;
    // The login may ask for a PIN, and needs the module to itself where that takes one thread at a time.
    drop(entered);
    findings.push(Finding::Ok(Link::Token, token_told(&token)));
    findings.push(pin_counter(&token));
    let opened = broken_at(Link::Login, access.open(Sessions::Many), findings)?;
    broken_at(Link::Login, log_in(&opened.connection), findings)?;
    let told = if token.login_required() { "logged in as the user" } else { "the token wants none" };
    findings.push(Finding::Ok(Link::Login, told.to_owned()));
    let outcome = key(&opened.connection, findings);
    opened.connection.close(now() + OPEN_TIME);
    outcome
}

/// A login that only a session brings about, where there may be one at a time.
fn log_in(connection: &Connection) -> Result<(), Fault> {
    let entered = connection.module().enter(now() + OPEN_TIME)?;
    let open = connection.open_session(&entered, Access::Read)?;
    entered.close(open);
    Ok(())
}

fn key(connection: &Connection, findings: &mut Vec<Finding>) -> Result<(), Broken> {
    let described = discovery::describe(connection, None, now() + OPEN_TIME);
    let described = broken_at(Link::Key, described, findings)?;
    let Description { key, algorithm, attributes, .. } = &described;
    findings.push(Finding::Ok(Link::Key, format!("{key}, {algorithm}")));
    findings.push(attributes_found(attributes));
    if described.candidates.is_empty() {
        let told = "not tried: the token keeps no public half of the key that could be used, and the signer needs it in a file";
        findings.push(Finding::Warning(Link::Signature, told.to_owned()));
        return Ok(());
    }
    let proven = discovery::prove(connection, described, now() + OPEN_TIME);
    let proven = broken_at(Link::Signature, proven, findings)?;
    let told = format!(
        "{} signs, and its signature verifies under the public key with SHA-256 {}",
        proven.settings.mechanism.name(),
        proven.public_key.fingerprint()
    );
    findings.push(Finding::Ok(Link::Signature, told));
    findings.extend(proven.warnings.into_iter().map(|warning| Finding::Warning(Link::Signature, warning)));
    Ok(())
}

fn broken_at<T>(
    link: Link,
    outcome: Result<T, impl Into<SignerError>>,
    findings: &mut Vec<Finding>,
) -> Result<T, Broken> {
    outcome.map_err(|error| {
        findings.push(Finding::Broken(link, error.into()));
        Broken
    })
}

fn module_told(entered: &crate::module::Entered<'_>) -> String {
    let path = entered.path().display();
    match entered.library().pkcs11.get_library_info() {
        Ok(info) => format!(
            "{path}: {}, version {}.{}, PKCS#11 {}.{}",
            info.library_description().trim_end_matches('\0'),
            info.library_version().major(),
            info.library_version().minor(),
            info.cryptoki_version().major(),
            info.cryptoki_version().minor()
        ),
        Err(_) => path.to_string(),
    }
}

fn token_told(token: &TokenInfo) -> String {
    format!("{token}, {} {}, in slot {} now", token.manufacturer(), token.model(), token.slot_id())
}

fn pin_counter(token: &TokenInfo) -> Finding {
    let told = |text: &str| text.to_owned();
    match token.pin_counter() {
        PinCounter::Clean => Finding::Ok(Link::PinCounter, told("no wrong PIN is counted")),
        PinCounter::Low => {
            Finding::Warning(Link::PinCounter, told("wrong PINs are counted; the right one clears them"))
        }
        PinCounter::FinalTry => {
            Finding::Warning(Link::PinCounter, told("one more wrong PIN locks the token"))
        }
        PinCounter::Locked => Finding::Warning(Link::PinCounter, told("the PIN is locked")),
        PinCounter::ToBeChanged => Finding::Warning(Link::PinCounter, told("the PIN has to be changed")),
        PinCounter::NotSet => Finding::Warning(Link::PinCounter, told("the token has no user PIN yet")),
    }
}

fn attributes_found(attributes: &KeyAttributes) -> Finding {
    let told = attributes.named().map(|(name, value)| {
        format!("{name} {}", value.map_or_else(|| "unknown".to_owned(), |value| value.to_string()))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    match (attributes.can_leave(), attributes.was_imported()) {
        (true, _) => Finding::Warning(Link::Attributes, format!("the key can leave the token: {told}")),
        (false, true) => {
            Finding::Ok(Link::Attributes, format!("{told}; it was made elsewhere, where copies may be"))
        }
        (false, false) => Finding::Ok(Link::Attributes, told),
    }
}
