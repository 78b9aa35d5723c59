//! A store in a Redis, for the processes of many machines.

mod address;
mod lease;
mod link;
mod options;
mod scripts;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use soticket_core::jiff::SignedDuration;
use soticket_core::store::{Fence, Lease, Record, Saved, StoreError, TicketKey, TicketStore};

use crate::key::StoreKey;
use crate::seal::{MAX_RECORD_SIZE, Sealer, unreadable};
use link::Link;
use scripts::Scripts;

pub use options::{PlainNetwork, RedisStoreOptions};

/// Keeps tickets in a Redis (5 or later, not a cluster) for a fleet of machines, which share its URL and the key.
///
/// Records are encrypted before they leave this process, and expire there some time after they end. A lease ends by
/// itself when its holder does not renew it. It connects when it is first asked, and again when the connection is lost;
/// a Redis that is away makes each call fail within about a second.
///
/// Each change is one Lua script. All that its user needs to be allowed is, in the words of Redis's `ACL SETUSER`:
/// `~soticket:* +evalsha +script|load +type +get +getrange +set +incr +del +pexpire +pexpireat +time`, and `+select` with
/// a database in the URL. Clones share the connection.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    link: Link,
    sealer: Sealer,
    scripts: Scripts,
    options: RedisStoreOptions,
}

impl RedisStore {
    /// A store in the Redis at `url`: `rediss://user:password@host:port/database`, or `redis://…` on this machine.
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// [`StoreErrorKind::Configuration`](soticket_core::store::StoreErrorKind::Configuration) when that is no such URL,
    /// or one whose password would cross a network in the clear.
    pub fn new(url: &str, key: StoreKey) -> Result<Self, StoreError> {
        Self::with_options(url, key, RedisStoreOptions::new())
    }

    /// The same, otherwise than by default.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when the options' certificates cannot be read.
    pub fn with_options(url: &str, key: StoreKey, options: RedisStoreOptions) -> Result<Self, StoreError> {
        let link = Link::new(address::parse(url, &options)?);
        Ok(Self(Arc::new(Inner { link, sealer: Sealer::new(&key)?, scripts: Scripts::new(), options })))
    }
}

impl Inner {
    /// What is there, whatever it is, but no more of it than shows that it is too long.
    async fn fetch(&self, key: &TicketKey) -> Result<Vec<u8>, StoreError> {
        let mut load = self.scripts.load.key(name(key, Part::Ticket));
        self.link.invoke(load.arg(MAX_RECORD_SIZE)).await
    }

    fn open(&self, key: &TicketKey, sealed: &[u8]) -> Result<Option<Record>, StoreError> {
        let place = || format!("{}` in the Redis at `{}", name(key, Part::Ticket), self.link.place());
        match sealed.len() {
            0 => Ok(None),
            length if length > MAX_RECORD_SIZE => {
                let why = format!("it has more than the {MAX_RECORD_SIZE} bytes that a record has at most");
                Err(unreadable(place(), why))
            }
            _ => self.sealer.open(key.as_bytes(), sealed).map(Some).map_err(|why| why.at(place())),
        }
    }

    /// Saves, unless a record is there that has a higher fence and is not `distrusted`.
    async fn try_save(
        &self,
        key: &TicketKey,
        sealed: &[u8],
        record: &Record,
        distrusted: &[u8],
    ) -> Result<Saved, StoreError> {
        let expires = record.ends.saturating_add(KEPT_BEYOND_END).unwrap_or(record.ends).as_millisecond();
        let mut save = self.scripts.save.key(name(key, Part::Ticket));
        save.arg(sealed).arg(&record.fence.0.to_be_bytes()[..]).arg(expires);
        save.arg(distrusted).arg(MAX_RECORD_SIZE);
        let kept: bool = self.link.invoke(&save).await?;
        Ok(if kept { Saved::Kept } else { Saved::Outrun })
    }
}

#[async_trait]
impl TicketStore for RedisStore {
    async fn load(&self, key: &TicketKey) -> Result<Option<Record>, StoreError> {
        let sealed = self.0.fetch(key).await?;
        self.0.open(key, &sealed)
    }

    async fn save(&self, key: &TicketKey, record: &Record) -> Result<Saved, StoreError> {
        let sealed = self.0.sealer.seal(key.as_bytes(), record)?;
        if self.0.try_save(key, &sealed, record, &[]).await? == Saved::Kept {
            return Ok(Saved::Kept);
        }
        // Redis cannot tell a record from something that only looks like one with a higher fence.
        let there = self.0.fetch(key).await?;
        match self.0.open(key, &there) {
            Ok(Some(opened)) if opened.fence > record.fence => Ok(Saved::Outrun),
            _ => self.0.try_save(key, &sealed, record, &there).await,
        }
    }

    async fn remove(&self, key: &TicketKey, fence: Fence) -> Result<(), StoreError> {
        let mut remove = self.0.scripts.remove.key(name(key, Part::Ticket));
        self.0.link.invoke(remove.arg(&fence.0.to_be_bytes()[..])).await
    }

    async fn lease(&self, key: &TicketKey) -> Result<Option<Box<dyn Lease>>, StoreError> {
        let lease = lease::try_take(&self.0, key).await?;
        Ok(lease.map(|lease| Box::new(lease) as Box<dyn Lease>))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisStore({})", self.0.link.place())
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inner({})", self.link.place())
    }
}

/// What Redis keeps for one ticket key.
#[derive(Debug, Clone, Copy)]
enum Part {
    Ticket,
    Lease,
    Fence,
}

/// Under what it keeps it. What is in braces says to a cluster that they belong together.
fn name(key: &TicketKey, part: Part) -> String {
    let part = match part {
        Part::Ticket => "ticket",
        Part::Lease => "lease",
        Part::Fence => "fence",
    };
    format!("soticket:{{{key}}}:{part}")
}

/// How long a record that has ended is kept, for clocks that disagree.
const KEPT_BEYOND_END: SignedDuration = SignedDuration::from_hours(1);
