//! Starting an emulator, and the handle to a running one.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::Config;
use crate::emulator::{Emulator, UnknownTenant};
use crate::faults::Faults;
use crate::keys::{LoginKey, generate};
use crate::log::Log;
use crate::server::Server;
use crate::shared::{Shared, by_name};
use crate::tls::{self, Tls};

/// From where the emulator can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reach {
    /// This machine only: another address is refused at the start.
    #[default]
    Loopback,
    /// Any address: whoever reaches it can ask it for tickets that are good for nothing but itself.
    Network,
}

/// Why the emulator did not start, or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not on loopback.
    #[error("{0} is not a loopback address: allow it with `Reach::Network`")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A key or certificate could not be made.
    #[error("cannot make keys and certificates")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no such tenant.
    #[error(transparent)]
    Tenant(#[from] UnknownTenant),
}

/// What to start.
#[derive(Debug, Clone)]
#[must_use]
pub struct EmulatorBuilder {
    config: Config,
    listen: SocketAddr,
    reach: Reach,
    tls: Tls,
    clock: Clock,
}

impl EmulatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            config: Config::default(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            reach: Reach::default(),
            tls: Tls::default(),
            clock: Clock::default(),
        }
    }

    /// What to serve; without it, no application is known and every exchange is refused.
    pub fn with_config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// Where to listen; 127.0.0.1 on a free port otherwise.
    pub fn with_listen(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Whether addresses beyond loopback are allowed.
    pub fn with_reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Plain HTTP, or TLS.
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// The clock to go by; the machine's otherwise.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Starts listening; must be called on a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// When the address is not allowed or not free, or a key or file cannot be made.
    pub async fn start(mut self) -> Result<Emulator, StartError> {
        if self.reach == Reach::Loopback && !self.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(self.listen));
        }
        let login_key = match self.config.login_key.take() {
            Some(key) => key,
            None => fresh_key().await?,
        };
        let (acceptor, ca_pem) = match self.tls {
            Tls::None => (None, None),
            _ => tls::acceptor(&self.config.tls_names)
                .map(|(a, pem)| (Some(a), Some(pem)))
                .map_err(keys_error)?,
        };
        if let (Tls::ThrowAwayIn(folder), Some(ca)) = (&self.tls, &ca_pem) {
            std::fs::create_dir_all(folder)
                .map_err(|source| StartError::Write { path: folder.clone(), source })?;
            write(folder.join("ca.pem"), ca)?;
            write_certificate(&self.tls, &login_key)?;
        }
        let (listener, addr) = listen(self.listen).await?;
        let tls = self.tls.clone();
        let shared = Arc::new(self.share(login_key, addr.port()));
        let servers = Mutex::new(vec![Server::start(listener, addr, acceptor.clone(), Arc::clone(&shared))]);
        Ok(Emulator { shared, servers, addr, tls, acceptor, ca_pem })
    }

    fn share(mut self, login_key: LoginKey, port: u16) -> Shared {
        let tenants = by_name(std::mem::take(&mut self.config.tenants), port);
        let faults = Faults::default();
        faults.set(std::mem::take(&mut self.config.faults));
        Shared {
            tenants: Mutex::new(tenants),
            scheme: if self.tls == Tls::None { "http" } else { "https" },
            config: self.config,
            clock: self.clock,
            log: Log::default(),
            faults,
            keys: Mutex::new(vec![Arc::new(login_key)]),
            tickets: Mutex::default(),
            exchanges: AtomicU64::new(0),
            login_port: port,
        }
    }
}

pub(crate) async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

pub(crate) async fn fresh_key() -> Result<LoginKey, StartError> {
    let made = tokio::task::spawn_blocking(|| generate().and_then(LoginKey::new)).await;
    made.map_err(keys_error)?.map_err(keys_error)
}

fn keys_error(error: impl std::error::Error + Send + Sync + 'static) -> StartError {
    StartError::Keys(Box::new(error))
}

/// Writes the certificate of the key that signs JWTs, where files are wanted.
pub(crate) fn write_certificate(tls: &Tls, key: &LoginKey) -> Result<(), StartError> {
    match tls {
        Tls::ThrowAwayIn(folder) => write(folder.join("federated-login.pem"), &key.certificate_pem),
        _ => Ok(()),
    }
}

fn write(path: PathBuf, text: &str) -> Result<(), StartError> {
    std::fs::write(&path, text).map_err(|source| StartError::Write { path, source })
}
