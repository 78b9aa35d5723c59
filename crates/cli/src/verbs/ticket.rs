//! `soticket ticket`: an exchange, or one for each tenant of the settings file.

use std::path::Path;

use serde_json::{Value, json};
use soticket::{SystemUserClient, SystemUserTicket, Tenant};

use crate::args::{TicketArgs, TicketFormat};
use crate::failure::{Exit, Failure};
use crate::interruption::unless_interrupted;
use crate::output::{print, print_json, print_line, shell_quoted};
use crate::settings::{Listed, Settings};

pub(crate) async fn run(args: TicketArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let (all, format) = (args.all, args.format);
    let settings = Settings::new(args.connection, config)?;
    if all { for_all(&settings, format).await } else { for_one(&settings, format).await }
}

async fn for_one(settings: &Settings, format: TicketFormat) -> Result<Exit, Failure> {
    let tenant = settings.tenant()?;
    let client = settings.client(settings.signer().await?)?;
    let ticket = unless_interrupted(client.ticket(&tenant)).await??;
    match format {
        TicketFormat::Text => print_line(ticket.expose())?,
        TicketFormat::Json => print_json(&as_json(&client, &tenant, &ticket))?,
        TicketFormat::Headers => print(&as_headers(&ticket))?,
        TicketFormat::Env => print(&as_variables(&tenant, &ticket))?,
    }
    Ok(Exit::Done)
}

/// One line a tenant on standard output, failures on standard error; the worst failure decides the exit code.
async fn for_all(settings: &Settings, format: TicketFormat) -> Result<Exit, Failure> {
    if !matches!(format, TicketFormat::Text | TicketFormat::Json) {
        return Err(Failure::configuration(
            "--all prints one line a tenant; use --format text or --format json",
        ));
    }
    let tenants = settings.listed_tenants()?;
    let client = settings.client(settings.signer().await?)?;
    unless_interrupted(each(&client, tenants, format)).await?
}

async fn each(
    client: &SystemUserClient,
    tenants: Vec<Listed>,
    format: TicketFormat,
) -> Result<Exit, Failure> {
    let mut worst = Exit::Done;
    for Listed { context, tenant } in tenants {
        match one_of_all(client, tenant).await {
            Ok((tenant, ticket)) if format == TicketFormat::Json => {
                print_json(&as_json(client, &tenant, &ticket))?;
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
    client: &SystemUserClient,
    tenant: Result<Tenant, Failure>,
) -> Result<(Tenant, SystemUserTicket), Failure> {
    let tenant = tenant?;
    let ticket = client.ticket(&tenant).await?;
    Ok((tenant, ticket))
}

fn as_json(client: &SystemUserClient, tenant: &Tenant, ticket: &SystemUserTicket) -> Value {
    let claims = ticket.claims();
    json!({
        "context": tenant.context().as_str(),
        "environment": client.environment().to_string(),
        "ticket": ticket.expose(),
        "issued_at": ticket.issued_at().to_string(),
        "expires_at": ticket.expires_at().to_string(),
        "webapi_url": claims.webapi_url().map(String::from),
        "netserver_url": claims.netserver_url().map(String::from),
        "clock_skew_seconds": ticket.clock_skew().map(|skew| skew.seconds()),
        "claims": claims.all(),
    })
}

fn as_headers(ticket: &SystemUserTicket) -> String {
    // Both values were made of text, so that they are text again.
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let authorization = text(ticket.authorization_header().as_bytes());
    let app_token = text(ticket.app_token_header().as_bytes());
    format!("Authorization: {authorization}\nSO-AppToken: {app_token}\n")
}

fn as_variables(tenant: &Tenant, ticket: &SystemUserTicket) -> String {
    let url = ticket.claims().webapi_url().map(String::from).unwrap_or_default();
    let expires_at = ticket.expires_at().to_string();
    [
        ("SOTICKET_CONTEXT", tenant.context().as_str()),
        ("SOTICKET_TICKET", ticket.expose()),
        ("SOTICKET_TICKET_EXPIRES_AT", &expires_at),
        ("SOTICKET_WEBAPI_URL", &url),
    ]
    .iter()
    .map(|(name, value)| format!("{name}={}\n", shell_quoted(value)))
    .collect()
}
