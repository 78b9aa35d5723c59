//! What may be said on the command line; what is said in the environment and in files, `settings` adds.

mod connection;
mod key;
pub(crate) mod secrets;
mod store;
mod ticket;
mod token;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use connection::{ConnectionArgs, Transport};
#[cfg(all(feature = "pem", any(feature = "pkcs11", feature = "aws-kms")))]
pub(crate) use key::ImportArgs;
#[cfg(feature = "pkcs11")]
pub(crate) use key::ListArgs;
#[cfg(any(feature = "pem", feature = "pkcs11"))]
pub(crate) use key::NewFileArgs;
#[cfg(feature = "pem")]
pub(crate) use key::{ConvertArgs, KeyFormat};
pub(crate) use key::{GenerateArgs, InspectArgs, KeyArgs, KeyCommand};
#[cfg(any(feature = "file-store", feature = "redis"))]
pub(crate) use store::{NewKeyArgs, PurgeArgs, StoreCommand};
pub(crate) use store::{StoreArgs, StoreFlags};
pub(crate) use ticket::{MAX_PARALLEL, ManyArgs, TicketArgs, TicketFormat};
pub(crate) use token::TokenArgs;

/// SuperOffice system user tickets, with the partner's private key where policy wants it
#[derive(Debug, Parser)]
#[command(name = "soticket", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// Settings file [default: ./soticket.toml, else soticket/soticket.toml in the user's config folder];
    /// with `emulator`, the emulator's own configuration
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Tell more on standard error: -v what is done, -vv how, -vvv everything; SOTICKET_LOG overrides
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole flow on this machine: emulator, key, ticket, and an API call with it
    Demo,
    /// Get a system user ticket for one tenant, or for all those of a list
    #[command(after_help = ticket::HELP)]
    Ticket(TicketArgs),
    /// Print the signed system token, and exchange nothing
    #[command(after_help = SIGN_HELP)]
    Sign(SignArgs),
    /// Check a signed system token against a public key
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Make, move, convert, list and inspect signing keys
    Key(KeyArgs),
    /// Make the key of a ticket store, and tidy up in one
    Store(StoreArgs),
    /// Check every link of the chain, in order, and tell the cure for what fails
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Run the login service on this machine
    #[command(after_help = EMULATOR_HELP)]
    Emulator(EmulatorArgs),
    /// Print a shell's completions
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    /// How to print the signed system token
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    /// The file that holds the signed system token; `-` is standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) signed_token_file: PathBuf,

    /// The public key or certificate to check against, instead of the signer's
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,

    /// How to print the outcome
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    /// Make an exchange too, which costs the tenant a database record
    #[arg(long)]
    pub(crate) exchange: bool,

    /// How to print the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct EmulatorArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// Listen on an address that other machines can reach
    #[arg(long)]
    pub(crate) allow_network: bool,

    /// Speak TLS, and write the throw-away authority's `ca.pem` and the JWT key's `federated-login.pem` here
    #[arg(long, value_name = "DIR")]
    pub(crate) tls_dir: Option<PathBuf>,

    /// Where the sample application's private key is, or is to be written
    #[arg(long, value_name = "FILE", default_value = "soticket-sample-key.xml")]
    pub(crate) sample_key: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Begin with `soticket demo`. Each command's --help has an example.

Settings come from flags, else from the environment (SOTICKET_…), else from the settings file.
Secrets come from the environment, a file, standard input or a prompt, never from the command line.

Exit codes:
  0  done
  1  unexpected failure
  2  wrong usage or configuration
  3  the signer failed (key, passphrase, PIN, device, KMS)
  4  SuperOffice refused; the message says what to do
  5  the answer could not be trusted
  6  the network failed, after retries";

const SIGN_HELP: &str = "\
Example:
  SOTICKET_SYSTEM_USER_TOKEN=… soticket sign --signer partner.pem

What is printed is a credential for some minutes.";

const VERIFY_HELP: &str = "\
Example:
  soticket sign | soticket verify --public-key partner-public.pem

Exits with 5 when the signature is another key's. Says when it was made, and not whether that is
recent.";

const DOCTOR_HELP: &str = "\
Example:
  soticket doctor --environment sod --context Cust12345 --signer partner.pem --exchange

Exits with the code of the first check that fails.";

const EMULATOR_HELP: &str = "\
Example:
  soticket emulator --listen 127.0.0.1:8080 --config emulator.toml

Prints `listening on URL` when it is ready, and runs until it is interrupted. --config names the
emulator's own configuration here; without it, there is a sample application, whose settings are
told on standard error.";
