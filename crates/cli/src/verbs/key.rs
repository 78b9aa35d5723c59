//! `soticket key`: keys made, converted and inspected.

#[cfg(feature = "pem")]
mod convert;
#[cfg(feature = "pem")]
mod generate;
mod inspect;
#[cfg(feature = "pem")]
mod new_file;

use std::path::Path;

use crate::args::{KeyArgs, KeyCommand};
use crate::failure::{Exit, Failure};

pub(crate) async fn run(args: KeyArgs, _config: Option<&Path>) -> Result<Exit, Failure> {
    match args.command {
        #[cfg(feature = "pem")]
        KeyCommand::Generate(args) => generate::run(&args),
        #[cfg(feature = "pem")]
        KeyCommand::Convert(args) => convert::run(args),
        KeyCommand::Inspect(args) => inspect::run(args).await,
        #[cfg(not(feature = "pem"))]
        KeyCommand::Generate(_) | KeyCommand::Convert(_) => Err(Failure::configuration(
            "this program was built without key files; build it with the cargo feature `pem`",
        )),
    }
}
