//! `soticket ticket`: a ticket for one tenant, or for each of the settings file; kept between runs when a store is named.

mod printed;

use std::path::Path;
use std::time::Duration;

use soticket::{SystemUserClient, SystemUserTicket, Tenant, TicketCache};

use crate::args::{StoreFlags, TicketArgs, TicketFormat};
use crate::failure::{Exit, Failure};
use crate::interruption::unless_interrupted;
use crate::output::{print, print_json, print_line};
use crate::settings::{Listed, OpenStore, Settings};

pub(crate) async fn run(args: TicketArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let TicketArgs { connection, store, refresh, all, format } = args;
    let settings = Settings::new(connection, config)?;
    let tickets = if refresh { Tickets::New } else { Tickets::Kept };
    if all {
        return for_all(&settings, &store, tickets, format).await;
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
        Some(store) => tickets.get(&cache(client, Some(store)), tenant).await,
    }
}

/// One line a tenant on standard output, failures on standard error; the worst failure decides the exit code.
async fn for_all(
    settings: &Settings,
    store: &StoreFlags,
    tickets: Tickets,
    format: TicketFormat,
) -> Result<Exit, Failure> {
    if !matches!(format, TicketFormat::Text | TicketFormat::Json) {
        return Err(Failure::configuration(
            "--all prints one line a tenant; use --format text or --format json",
        ));
    }
    let tenants = settings.listed_tenants()?;
    let store = settings.store(store)?;
    let client = settings.client(settings.signer().await?)?;
    let cache = cache(&client, store);
    unless_interrupted(each(&cache, tenants, tickets, format)).await?
}

async fn each(
    cache: &TicketCache,
    tenants: Vec<Listed>,
    tickets: Tickets,
    format: TicketFormat,
) -> Result<Exit, Failure> {
    let mut worst = Exit::Done;
    for Listed { context, tenant } in tenants {
        match one_of_all(cache, tenant, tickets).await {
            Ok((tenant, ticket)) if format == TicketFormat::Json => {
                print_json(&printed::as_json(cache.client(), &tenant, &ticket))?;
            }
            Ok((_, ticket)) => print_line(&format!("{context}\t{}", ticket.expose()))?,
            Err(failure) => {
                worst = worst.max(failure.exit());
                failure.about(&context).report();
            }
        }
    }
    Ok(worst)
}

async fn one_of_all(
    cache: &TicketCache,
    tenant: Result<Tenant, Failure>,
    tickets: Tickets,
) -> Result<(Tenant, SystemUserTicket), Failure> {
    let tenant = tenant?;
    let ticket = tickets.get(cache, &tenant).await?;
    Ok((tenant, ticket))
}

/// A cache that hands a ticket out for as long as it may be used: this program ends before a renewal would.
fn cache(client: &SystemUserClient, store: Option<OpenStore>) -> TicketCache {
    let cache = TicketCache::builder(client.clone()).with_renewal(Duration::ZERO, Duration::ZERO);
    match store {
        Some(store) => store.attach_to(cache).build(),
        None => cache.build(),
    }
}
