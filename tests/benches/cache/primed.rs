//! A cache that holds tickets of many tenants, by one exchange: the others take theirs from a store.

use std::sync::Arc;

use soticket::pem::{KeySource, PemSigner};
use soticket::store::{MemoryStore, Record, TicketStore as _};
use soticket::{RetryPolicy, SystemUserClient, SystemUserTicket, Tenant, TicketCache};
use soticket_emulator::{Config, Emulator, Sample};
use zeroize::Zeroizing;

/// So many tenants, and a cache that has a ticket of each.
pub(crate) struct Primed {
    pub(crate) cache: TicketCache,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) tickets: Vec<SystemUserTicket>,
}

pub(crate) async fn client() -> (Emulator, SystemUserClient) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::sample(folder.path().join("partner.xml")).unwrap();
    let emulator = Emulator::builder().with_config(config).start().await.unwrap();
    let signer = PemSigner::builder(KeySource::file(folder.path().join("partner.xml"))).build().unwrap();
    let secret = Sample::CLIENT_SECRET.parse().unwrap();
    let client = SystemUserClient::builder(emulator.url().parse().unwrap(), secret, Arc::new(signer))
        .with_retry_policy(RetryPolicy::never())
        .build()
        .unwrap();
    (emulator, client)
}

/// The record of the sample's ticket.
pub(crate) async fn record(client: &SystemUserClient) -> Record {
    let store = MemoryStore::new();
    let sample = tenant(Sample::CONTEXT);
    TicketCache::builder(client.clone()).with_store(store.clone()).build().ticket(&sample).await.unwrap();
    store.load(&client.ticket_key(&sample)).await.unwrap().unwrap()
}

impl Primed {
    pub(crate) async fn new(client: &SystemUserClient, record: &Record, count: usize) -> Self {
        let store = MemoryStore::new();
        let cache = TicketCache::builder(client.clone()).with_store(store.clone()).build();
        let tenants: Vec<_> = (0..count).map(|number| tenant(&format!("Cust{:05}", number))).collect();
        let mut tickets = Vec::with_capacity(count);
        for tenant in &tenants {
            // Every tenant has a ticket of its own, with claims of its own.
            let text = str::from_utf8(&record.contents).unwrap();
            let text = text.replace(Sample::CONTEXT, tenant.context().as_str());
            let record = Record { contents: Zeroizing::new(text.into_bytes()), ..record.clone() };
            let key = client.ticket_key(tenant);
            store.save(&key, &record).await.unwrap();
            tickets.push(cache.ticket(tenant).await.unwrap());
            store.remove(&key, record.fence).await.unwrap();
        }
        Self { cache, tenants, tickets }
    }
}

fn tenant(context: &str) -> Tenant {
    Tenant::new(context.parse().unwrap(), Sample::SYSTEM_USER_TOKEN.parse().unwrap())
}
