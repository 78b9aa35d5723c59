//! `soticket ticket`: a ticket for one tenant, or for each of many; kept between runs when a store is named.

mod all;
mod list;
mod printed;
mod summary;

use std::path::Path;
use std::time::Duration;

use soticket::{ExchangeLimits, SystemUserClient, SystemUserTicket, Tenant, TicketCache};

use crate::args::{TicketArgs, TicketFormat};
use crate::failure::{Exit, Failure};
use crate::interruption::unless_interrupted;
use crate::output::{print, print_json, print_line};
use crate::secret_input::refuse_two_inputs;
use crate::settings::{OpenStore, Settings};

pub(crate) async fn run(args: TicketArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    refuse_two_inputs(&args.inputs())?;
    let TicketArgs { connection, store, refresh, all, many, format } = args;
    let settings = Settings::new(connection, config)?;
    let tickets = if refresh { Tickets::New } else { Tickets::Kept };
    if all {
        return all::run(&settings, &store, &many, tickets, format).await;
    }
    let tenant = settings.tenant()?;
    let store = settings.store(&store)?;
    let client = settings.client(settings.signer().await?)?;
    let ticket = unless_interrupted(one(&client, store, &tenant, tickets)).await??;
    match format {
        TicketFormat::Text => print_line(ticket.expose())?,
        TicketFormat::Json => print_json(&printed::as_json(&client, &tenant, &ticket))?,
        TicketFormat::Headers => print(&printed::as_headers(&ticket))?,
        TicketFormat::Env => print(&printed::as_variables(&tenant, &ticket))?,
    }
    Ok(Exit::Done)
}

/// Whether a ticket that is kept will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tickets {
    Kept,
    New,
}

impl Tickets {
    async fn get(self, cache: &TicketCache, tenant: &Tenant) -> Result<SystemUserTicket, Failure> {
        let ticket = match self {
            Self::Kept => cache.ticket(tenant).await,
            Self::New => cache.refresh(tenant).await,
        };
        Ok(ticket?)
    }
}

async fn one(
    client: &SystemUserClient,
    store: Option<OpenStore>,
    tenant: &Tenant,
    tickets: Tickets,
) -> Result<SystemUserTicket, Failure> {
    match store {
        None => Ok(client.ticket(tenant).await?),
        Some(store) => tickets.get(&cache(client, Some(store), ExchangeLimits::new(), 1), tenant).await,
    }
}

/// A cache that hands a ticket out for as long as it may be used: this program ends before a renewal would.
fn cache(
    client: &SystemUserClient,
    store: Option<OpenStore>,
    limits: ExchangeLimits,
    tenants: usize,
) -> TicketCache {
    let cache = TicketCache::builder(client.clone())
        .with_renewal(Duration::ZERO, Duration::ZERO)
        .with_limits(limits)
        .with_max_tenants(tenants);
    match store {
        Some(store) => store.attach_to(cache).build(),
        None => cache.build(),
    }
}
