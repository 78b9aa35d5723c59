//! What may be said of tickets.

use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
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

    /// Get a ticket for every tenant of the settings file, or of --tenants
    #[arg(long, conflicts_with = "context")]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) many: ManyArgs,

    /// How to print the ticket
    #[arg(long, value_enum, default_value_t = TicketFormat::Text)]
    pub(crate) format: TicketFormat,
}

/// What goes with `--all` alone.
#[derive(Debug, Args)]
pub(crate) struct ManyArgs {
    /// The tenants: CSV with the header row `context,system_user_token`, or JSON lines with these members;
    /// `-` is standard input
    #[arg(long, value_name = "FILE", requires = "all")]
    pub(crate) tenants: Option<PathBuf>,

    /// How many exchanges run at once [default: 16]
    #[arg(long, value_name = "N", requires = "all", value_parser = RangedU64ValueParser::<u16>::new().range(1..=MAX_PARALLEL))]
    pub(crate) parallel: Option<u16>,

    /// How many exchanges start in a second; 0 is no limit [default: 50]
    #[arg(long, value_name = "N", requires = "all")]
    pub(crate) rate: Option<u32>,
}

/// The most exchanges that may run at once: each has a connection of its own.
pub(crate) const MAX_PARALLEL: u64 = 1000;

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

impl TicketArgs {
    /// The flags that name a file to read, each with its file.
    pub(crate) fn inputs(&self) -> [(&'static str, Option<&Path>); 7] {
        let (connection, store) = (&self.connection, &self.store);
        [
            ("--client-secret-file", connection.client_secret_file.as_deref()),
            ("--system-user-token-file", connection.system_user_token_file.as_deref()),
            ("--key-passphrase-file", connection.key_passphrase_file.as_deref()),
            ("--pkcs11-pin-file", connection.token.pkcs11_pin_file.as_deref()),
            ("--store-url-file", store.store_url_file.as_deref()),
            ("--store-key-file", store.store_key_file.as_deref()),
            ("--tenants", self.many.tenants.as_deref()),
        ]
    }
}

pub(super) const HELP: &str = "\
Examples:
  export SOTICKET_CLIENT_SECRET=…  SOTICKET_SYSTEM_USER_TOKEN=…
  soticket ticket --environment sod --context Cust12345 --signer partner.pem --format headers |
    curl --header @- https://…/Cust12345/api/v1/User/currentPrincipal

  soticket store new-key --out store.key
  soticket ticket --all --tenants tenants.csv --store tickets --store-key-file store.key

The client secret is read from --client-secret-file, SOTICKET_CLIENT_SECRET or a prompt, the
system user token from --system-user-token-file, SOTICKET_SYSTEM_USER_TOKEN or a prompt. A ticket
is good for six hours after its last use, and each exchange costs the tenant a database record:
with --store, the ticket is kept, and there is one exchange in six hours however often this runs.

With --all, there is one line a tenant, as it comes: `context`, a tab and the ticket, or a JSON
object. Failures and a summary go to standard error, and the worst failure decides the exit code.
With --store, a run that was broken off is taken up by the same command.";
