//! What may be said of tickets.

use clap::{Args, ValueEnum};

use super::{ConnectionArgs, StoreFlags};

#[derive(Debug, Args)]
pub(crate) struct TicketArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    #[command(flatten)]
    pub(crate) store: StoreFlags,

    /// Get a new ticket though one is kept, and keep that
    #[arg(long)]
    pub(crate) refresh: bool,

    /// Get a ticket for every tenant of the settings file
    #[arg(long, conflicts_with = "context")]
    pub(crate) all: bool,

    /// How to print the ticket
    #[arg(long, value_enum, default_value_t = TicketFormat::Text)]
    pub(crate) format: TicketFormat,
}

/// How a ticket is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TicketFormat {
    /// The ticket alone, on a line
    Text,
    /// One JSON object a line, with the claims
    Json,
    /// The two headers of an API call, for `curl --header @-`
    Headers,
    /// Shell variables, for `eval`
    Env,
}

pub(super) const HELP: &str = "\
Examples:
  export SOTICKET_CLIENT_SECRET=…  SOTICKET_SYSTEM_USER_TOKEN=…
  soticket ticket --environment sod --context Cust12345 --signer partner.pem --format headers |
    curl --header @- https://…/Cust12345/api/v1/User/currentPrincipal

  soticket store new-key --out store.key
  soticket ticket --store tickets --store-key-file store.key

The client secret is read from --client-secret-file, SOTICKET_CLIENT_SECRET or a prompt, the
system user token from --system-user-token-file, SOTICKET_SYSTEM_USER_TOKEN or a prompt. A ticket
is good for six hours after its last use, and each exchange costs the tenant a database record:
with --store, the ticket is kept, and there is one exchange in six hours however often this runs.";
