//! `soticket store`: the key of a ticket store, and tidying up in one.

#[cfg(any(feature = "file-store", feature = "redis"))]
mod new_key;
#[cfg(any(feature = "file-store", feature = "redis"))]
mod purge;

use std::path::Path;

use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};

#[cfg(any(feature = "file-store", feature = "redis"))]
pub(crate) async fn run(args: StoreArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    use crate::args::StoreCommand;

    match args.command {
        StoreCommand::NewKey(args) => new_key::run(&args),
        StoreCommand::Purge(args) => purge::run(args, config).await,
    }
}

#[cfg(not(any(feature = "file-store", feature = "redis")))]
#[expect(clippy::unused_async, reason = "with a store, it waits for that")]
pub(crate) async fn run(_: StoreArgs, _: Option<&Path>) -> Result<Exit, Failure> {
    Err(Failure::configuration(
        "this program keeps no tickets; build it with the cargo feature `file-store` or `redis`",
    ))
}
