//! The handle to a running emulator.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tokio_rustls::TlsAcceptor;

use crate::builder::{EmulatorBuilder, StartError, fresh_key, listen, write_certificate};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::log::Entry;
use crate::server::Server;
use crate::shared::{Shared, lock};
use crate::statistics::Statistics;
use crate::tenant::{Approval, TenantState};
use crate::tls::Tls;

/// What becomes of the old key when the signing key changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum KeyRotation {
    OldKeyKept,
    OldKeyDropped,
}

/// The context identifier is not one of the configuration.
#[derive(Debug, thiserror::Error)]
#[error("the emulator knows no tenant {0:?}: configure it")]
pub struct UnknownTenant(pub(crate) String);

/// A running emulator. Dropping it stops it, connections included.
pub struct Emulator {
    pub(crate) shared: Arc<Shared>,
    pub(crate) servers: Mutex<Vec<Server>>,
    pub(crate) addr: SocketAddr,
    pub(crate) tls: Tls,
    pub(crate) acceptor: Option<TlsAcceptor>,
    pub(crate) ca_pem: Option<String>,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Emulator {
    /// How many requests its log holds; of more, the oldest are forgotten.
    pub const LOG_CAPACITY: usize = crate::log::CAPACITY;

    /// Starts from the defaults: plain HTTP on a free port of loopback.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// Its address, without a slash at the end: `http://127.0.0.1:PORT` or `https://localhost:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        match self.acceptor {
            None => format!("http://{}", self.addr),
            Some(_) => format!("https://localhost:{}", self.addr.port()),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The throw-away authority's certificate, with TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The certificate of the key that signs JWTs now, in PEM.
    #[must_use]
    pub fn federated_login_certificate_pem(&self) -> String {
        self.shared.signing_key().map(|key| key.certificate_pem.clone()).unwrap_or_default()
    }

    /// The public key that JWTs are signed under now, in PEM (`PUBLIC KEY`).
    #[must_use]
    pub fn federated_login_public_key_pem(&self) -> String {
        self.shared.signing_key().map(|key| key.public_pem.clone()).unwrap_or_default()
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// What it has handled lately: the last [`LOG_CAPACITY`](Self::LOG_CAPACITY) requests.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.shared.log.snapshot()
    }

    /// Its faults, to queue, set and clear.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// How often what came of requests so far, of all that it has handled.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics()
    }

    /// How many exchanges have made a JWT, broken ones included.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        self.shared.exchanges.load(Ordering::Relaxed)
    }

    /// How many exchanges have made a JWT for this tenant, broken ones included.
    ///
    /// # Errors
    /// When there is no such tenant.
    pub fn exchanges_of(&self, context: &str) -> Result<u64, UnknownTenant> {
        let count = self.shared.tenant(context, |tenant| tenant.exchanges);
        count.ok_or_else(|| UnknownTenant(context.to_owned()))
    }

    /// Ends a tenant's tickets, so that its API takes none of them any longer, and says how many it knew of.
    pub fn end_tickets(&self, context: &str) -> usize {
        lock(&self.shared.tickets).end(context)
    }

    /// Signs with a fresh key from now on, whose certificate takes the place of the old one's file. Takes a
    /// second or so.
    ///
    /// # Errors
    /// When the key cannot be made; the old one then stays.
    pub async fn rotate_key(&self, rotation: KeyRotation) -> Result<(), StartError> {
        let key = fresh_key().await?;
        write_certificate(&self.tls, &key)?;
        let mut keys = lock(&self.shared.keys);
        if rotation == KeyRotation::OldKeyDropped {
            keys.clear();
        }
        keys.insert(0, Arc::new(key));
        Ok(())
    }

    /// Changes a tenant's state.
    ///
    /// # Errors
    /// When there is no such tenant.
    pub fn set_tenant_state(&self, context: &str, state: TenantState) -> Result<(), UnknownTenant> {
        let set = self.shared.tenant(context, |tenant| tenant.config.state = state);
        set.ok_or_else(|| UnknownTenant(context.to_owned()))
    }

    /// Changes a tenant's approvals, of all applications.
    ///
    /// # Errors
    /// When there is no such tenant.
    pub fn set_approval(&self, context: &str, approval: Approval) -> Result<(), UnknownTenant> {
        let set = self.shared.tenant(context, |tenant| {
            tenant.config.approvals.iter_mut().for_each(|each| each.approval = approval);
        });
        set.ok_or_else(|| UnknownTenant(context.to_owned()))
    }

    /// Moves a tenant's API to a fresh port, whose address is returned; the old one answers 421.
    ///
    /// # Errors
    /// When there is no such tenant, or no free port.
    pub async fn move_tenant(&self, context: &str) -> Result<SocketAddr, StartError> {
        self.shared.tenant(context, |_| ()).ok_or_else(|| UnknownTenant(context.to_owned()))?;
        let (listener, addr) = listen((self.addr.ip(), 0).into()).await?;
        lock(&self.servers).push(Server::start(
            listener,
            addr,
            self.acceptor.clone(),
            Arc::clone(&self.shared),
        ));
        self.shared.tenant(context, |tenant| tenant.port = addr.port());
        Ok(addr)
    }

    /// Stops all listeners and connections, and waits until they have stopped.
    pub async fn shutdown(self) {
        let servers = std::mem::take(&mut *lock(&self.servers));
        for server in servers {
            server.stop().await;
        }
    }
}
