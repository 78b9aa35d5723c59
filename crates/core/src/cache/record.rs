//! A ticket as a store keeps it: written as JSON without a copy that is not wiped, and read with suspicion.

use std::io;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::held::CLOCK_TOLERANCE;
use crate::exchange::SystemUserClient;
use crate::secret::{SecretText, extend_wiping};
use crate::store::{Fence, Record};
use crate::tenant::Tenant;
use crate::ticket::{Claims, SystemUserTicket};

/// The version of the form; another one is another program's.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    context: &'a str,
    ticket: &'a str,
    claims: &'a Map<String, Value>,
    system_user_token: Option<&'a str>,
    issued_at_microseconds: i64,
    used_at_microseconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    version: u32,
    context: String,
    ticket: String,
    claims: Map<String, Value>,
    system_user_token: Option<String>,
    issued_at_microseconds: i64,
    used_at_microseconds: i64,
}

/// Why a record that a store vouches for is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is not in the form of this version")]
    Form,
    #[error("it is another tenant's")]
    Tenant,
    #[error("its times make no sense")]
    Times,
}

/// The record of `ticket`, which belongs to `tenant`.
pub(crate) fn write(tenant: &Tenant, ticket: &SystemUserTicket, fence: Fence) -> Record {
    let claims = ticket.claims();
    let written = Written {
        version: VERSION,
        context: tenant.context().as_str(),
        ticket: ticket.expose(),
        claims: claims.all(),
        system_user_token: claims.system_user_token().map(SecretText::expose),
        issued_at_microseconds: ticket.issued_at().as_microsecond(),
        used_at_microseconds: ticket.last_used_at().as_microsecond(),
    };
    let mut bytes = Wiping(Zeroizing::new(Vec::with_capacity(INITIAL_CAPACITY)));
    // Neither the writer nor what is written can fail.
    let _ = serde_json::to_writer(&mut bytes, &written);
    Record { contents: bytes.0, fence, ends: ticket.expires_at() }
}

/// The ticket of `record`, if it is `tenant`'s.
pub(crate) fn read(
    record: &Record,
    tenant: &Tenant,
    client: &SystemUserClient,
) -> Result<SystemUserTicket, Unreadable> {
    let read: Read = serde_json::from_slice(&record.contents).map_err(|_| Unreadable::Form)?;
    let ticket = SecretText::new(read.ticket);
    let system_user_token = read.system_user_token.map(SecretText::new);
    if read.version != VERSION {
        return Err(Unreadable::Form);
    }
    if !tenant.context().is_named_by(&read.context) {
        return Err(Unreadable::Tenant);
    }
    let time = |micros| Timestamp::from_microsecond(micros).map_err(|_| Unreadable::Times);
    let issued_at = time(read.issued_at_microseconds)?;
    let (used_at, now) = (time(read.used_at_microseconds)?, client.clock().now());
    if used_at < issued_at || is_of_the_future(used_at, now) {
        return Err(Unreadable::Times);
    }
    // A machine whose clock is a little ahead of ours does not make a ticket live longer.
    let used_at = used_at.min(now);
    let claims = Claims::restored(read.claims, system_user_token);
    client.restored_ticket(ticket, claims, issued_at, used_at).map_err(|_| Unreadable::Form)
}

/// Nobody knows how old it is then: by this clock or by the one that it was written by.
fn is_of_the_future(used_at: Timestamp, now: Timestamp) -> bool {
    used_at.duration_since(now) > SignedDuration::try_from(CLOCK_TOLERANCE).unwrap_or(SignedDuration::MAX)
}

/// Wipes what it outgrows.
struct Wiping(Zeroizing<Vec<u8>>);

impl io::Write for Wiping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        extend_wiping(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In bytes; a ticket with its claims has a few thousand.
const INITIAL_CAPACITY: usize = 8 * 1024;
