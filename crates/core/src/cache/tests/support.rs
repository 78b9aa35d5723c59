//! A login service in memory, and tokio's paused time as the time of day.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::Map;
use tokio::time::{Instant, sleep};

use crate::cache::{Exchange, ExchangeLimits, TicketCache, TicketCacheBuilder};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::exchange::SystemUserClient;
use crate::public_key::PublicKey;
use crate::refusal::Refusal;
use crate::secret::SecretText;
use crate::signer::{KeyInfo, Signature, SignerError, TokenSigner};
use crate::tenant::Tenant;
use crate::ticket::{Claims, DEFAULT_TICKET_LIFETIME, SystemUserTicket};

/// The time of day moves with tokio's, paused or not.
#[derive(Debug)]
pub(super) struct TokioClock {
    start: Instant,
    shift: Mutex<SignedDuration>,
}

impl TokioClock {
    /// Sets the time of day alone, as an administrator does.
    pub(super) fn shift(&self, by: SignedDuration) {
        *self.shift.lock() += by;
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.start.elapsed()).unwrap();
        Timestamp::from_second(1_800_000_000).unwrap() + elapsed + *self.shift.lock()
    }
}

/// What the service does with a tenant's exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Kind,
    Revoked,
    Away,
    Hanging,
    Panicking,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Account {
    pub(super) mood: Mood,
    pub(super) latency: Duration,
    pub(super) begun: Vec<Instant>,
    pub(super) issued: u64,
    pub(super) at_once: usize,
    pub(super) most_at_once: usize,
}

/// What an observer sees of exchanges.
pub(super) enum Event<'a> {
    Begins,
    Issued(&'a SystemUserTicket),
    Failed(Mood),
}

type Watcher = Box<dyn Fn(&Tenant, Event<'_>) + Send + Sync>;

/// The login service.
#[derive(Default)]
pub(super) struct Service {
    pub(super) accounts: Mutex<HashMap<String, Account>>,
    pub(super) all: Mutex<Account>,
    pub(super) watcher: Mutex<Option<Watcher>>,
}

impl Service {
    pub(super) fn set(&self, tenant: &Tenant, mood: Mood) {
        self.with(tenant, |account| account.mood = mood);
    }

    pub(super) fn set_latency(&self, tenant: &Tenant, latency: Duration) {
        self.with(tenant, |account| account.latency = latency);
    }

    /// How many exchanges were begun for it.
    pub(super) fn begun(&self, tenant: &Tenant) -> usize {
        self.with(tenant, |account| account.begun.len())
    }

    pub(super) fn at_once(&self, tenant: &Tenant) -> usize {
        self.with(tenant, |account| account.at_once)
    }

    pub(super) fn with<T>(&self, tenant: &Tenant, with: impl FnOnce(&mut Account) -> T) -> T {
        with(self.accounts.lock().entry(tenant.context().to_string()).or_default())
    }

    fn report(&self, tenant: &Tenant, event: Event<'_>) {
        if let Some(watch) = &*self.watcher.lock() {
            watch(tenant, event);
        }
    }

    fn begin(self: &Arc<Self>, tenant: &Tenant) -> UnderWay {
        self.report(tenant, Event::Begins);
        let under_way = UnderWay { service: Arc::clone(self), tenant: tenant.clone() };
        let count = |account: &mut Account| {
            account.begun.push(Instant::now());
            account.at_once += 1;
            account.most_at_once = account.most_at_once.max(account.at_once);
        };
        self.with(tenant, count);
        count(&mut self.all.lock());
        under_way
    }
}

/// An exchange that has begun, until its future is gone.
struct UnderWay {
    service: Arc<Service>,
    tenant: Tenant,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.service.with(&self.tenant, |account| account.at_once -= 1);
        self.service.all.lock().at_once -= 1;
    }
}

/// One client of the service.
pub(super) struct Counter {
    service: Arc<Service>,
    clock: Arc<TokioClock>,
}

#[async_trait]
impl Exchange for Counter {
    async fn exchange(&self, tenant: &Tenant) -> Result<SystemUserTicket, Error> {
        let under_way = self.service.begin(tenant);
        let asked_at = self.clock.now();
        let (mood, latency) = self.service.with(tenant, |account| (account.mood, account.latency));
        sleep(latency).await;
        let outcome = self.answer(tenant, mood, asked_at).await;
        drop(under_way);
        match &outcome {
            Ok(ticket) => self.service.report(tenant, Event::Issued(ticket)),
            Err(_) => self.service.report(tenant, Event::Failed(mood)),
        }
        assert!(mood != Mood::Panicking, "as it was told to");
        outcome
    }
}

impl Counter {
    async fn answer(
        &self,
        tenant: &Tenant,
        mood: Mood,
        asked_at: Timestamp,
    ) -> Result<SystemUserTicket, Error> {
        match mood {
            Mood::Kind => {}
            Mood::Revoked => return Err(Error::refused(Refusal::from_message("Revoked", &[]))),
            Mood::Away | Mood::Panicking => return Err(Error::new(ErrorKind::Transport, "away")),
            Mood::Hanging => std::future::pending().await,
        }
        let number = self.service.with(tenant, |account| {
            account.issued += 1;
            account.issued
        });
        let text = SecretText::new(format!("7T:{}:{number}", tenant.context()));
        let secret = "secret".parse().unwrap();
        Ok(SystemUserTicket::new(text, secret, Claims::new(Map::new()), asked_at, LIFETIME).unwrap())
    }
}

/// A service, and caches that ask it.
pub(super) struct Bench {
    pub(super) service: Arc<Service>,
    pub(super) clock: Arc<TokioClock>,
    client: SystemUserClient,
}

impl Bench {
    pub(super) fn new() -> Self {
        let clock = Arc::new(TokioClock { start: Instant::now(), shift: Mutex::default() });
        Self { service: Arc::default(), client: client(Arc::clone(&clock)), clock }
    }

    pub(super) fn builder(&self) -> TicketCacheBuilder {
        let (service, clock) = (Arc::clone(&self.service), Arc::clone(&self.clock));
        TicketCache::builder(self.client.clone())
            .with_exchange(Arc::new(Counter { service, clock }))
            .with_limits(ExchangeLimits::new().with_per_second(0))
    }

    pub(super) fn cache(&self) -> TicketCache {
        self.builder().build()
    }
}

/// Never asked for anything but its name and its clock.
fn client(clock: Arc<TokioClock>) -> SystemUserClient {
    let environment = "http://127.0.0.1:9".parse().unwrap();
    SystemUserClient::builder(environment, "secret".parse().unwrap(), NoSigner)
        .with_clock(clock)
        .build()
        .unwrap()
}

#[derive(Debug)]
struct NoSigner;

#[async_trait]
impl TokenSigner for NoSigner {
    fn key_info(&self) -> &KeyInfo {
        static INFO: LazyLock<KeyInfo> = LazyLock::new(|| {
            let pem = include_str!("../../../testdata/rsa2048.pub.pem");
            KeyInfo::new(PublicKey::from_pem(pem).unwrap(), "test", "none", "nowhere")
        });
        &INFO
    }

    async fn sign(&self, _: &[u8]) -> Result<Signature, SignerError> {
        panic!("nothing is to be signed")
    }
}

pub(super) fn tenant(number: usize) -> Tenant {
    Tenant::new(format!("Cust{number}").parse().unwrap(), format!("App-{number}").parse().unwrap())
}

/// Lets everything run that can run now.
pub(super) async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

pub(super) const LIFETIME: Duration = DEFAULT_TICKET_LIFETIME;
pub(super) const MINUTE: Duration = Duration::from_secs(60);
/// From here on a ticket is near its end, whatever its jitter.
pub(super) const SURELY_NEAR_END: Duration =
    LIFETIME.saturating_sub(TicketCacheBuilder::DEFAULT_MARGIN).saturating_add(Duration::from_secs(1));
/// Up to here a ticket is fresh, whatever its jitter.
pub(super) const SURELY_FRESH: Duration = LIFETIME
    .saturating_sub(TicketCacheBuilder::DEFAULT_MARGIN)
    .saturating_sub(TicketCacheBuilder::DEFAULT_JITTER)
    .saturating_sub(Duration::from_secs(1));
