//! What may be said of the store that tickets are kept in.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where tickets are kept, and under which key.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StoreFlags {
    /// Keep tickets for the next run, encrypted: in this folder, or in Redis by `redis://…` or `rediss://…`;
    /// a URL with a password has to be in the environment or in a file [env: SOTICKET_STORE]
    #[arg(long, value_name = "FOLDER|URL", conflicts_with = "store_url_file")]
    pub(crate) store: Option<String>,

    /// The file that holds the URL of the store, which may then have a password; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) store_url_file: Option<PathBuf>,

    /// The file that holds the key that tickets are encrypted with; `-` is standard input [env: SOTICKET_STORE_KEY
    /// holds the key]
    #[arg(long, value_name = "FILE")]
    pub(crate) store_key_file: Option<PathBuf>,

    /// The name under which the platform's keyring keeps that key, or is to keep a new one
    #[arg(long, value_name = "NAME", conflicts_with = "store_key_file")]
    pub(crate) store_key_keyring: Option<String>,

    /// Trust the authorities in this PEM file, and no other, for the TLS of Redis
    #[arg(long, value_name = "FILE")]
    pub(crate) store_ca_file: Option<PathBuf>,

    /// Allow `redis://` to other machines, which shows Redis's password to the network in between
    #[arg(long)]
    pub(crate) store_plain_network: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Make the key that kept tickets are encrypted with
    #[command(after_help = NEW_KEY_HELP)]
    NewKey(NewKeyArgs),
    /// Remove the kept tickets that have ended
    #[command(after_help = PURGE_HELP)]
    Purge(PurgeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NewKeyArgs {
    /// The file to write, for its owner only; nothing is written over
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PurgeArgs {
    #[command(flatten)]
    pub(crate) store: StoreFlags,
}

const NEW_KEY_HELP: &str = "\
Example:
  soticket store new-key --out store.key
  soticket ticket --store tickets --store-key-file store.key

All who share a store have the same key. Without it, what is kept is of no use to anybody; who
loses it makes another, and pays one exchange for each tenant.";

const PURGE_HELP: &str = "\
Example:
  soticket store purge --store tickets --store-key-file store.key

Ended tickets are never handed out, and are overwritten when their tenant is asked for again: this
is for the tenants that nobody asks for any more. In Redis, they end by themselves.";
