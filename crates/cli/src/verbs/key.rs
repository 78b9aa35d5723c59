//! `soticket key`: keys made, moved, converted, listed and inspected.

#[cfg(feature = "pem")]
mod convert;
mod generate;
#[cfg(all(feature = "pem", any(feature = "pkcs11", feature = "aws-kms")))]
mod import;
mod inspect;
#[cfg(feature = "pkcs11")]
mod list;
#[cfg(feature = "pem")]
mod new_file;
#[cfg(feature = "pkcs11")]
pub(crate) mod token;

use std::path::Path;

use crate::args::{KeyArgs, KeyCommand};
use crate::failure::{Exit, Failure};

pub(crate) async fn run(args: KeyArgs, _config: Option<&Path>) -> Result<Exit, Failure> {
    match args.command {
        #[cfg(feature = "pkcs11")]
        KeyCommand::List(args) => list::run(args).await,
        KeyCommand::Generate(args) => generate::run(args).await,
        #[cfg(all(feature = "pem", any(feature = "pkcs11", feature = "aws-kms")))]
        KeyCommand::Import(args) => import::run(args).await,
        #[cfg(feature = "pem")]
        KeyCommand::Convert(args) => convert::run(args),
        KeyCommand::Inspect(args) => inspect::run(args).await,
        #[cfg(not(feature = "pkcs11"))]
        KeyCommand::List(_) => Err(without("PKCS#11 tokens", "pkcs11")),
        #[cfg(not(feature = "pem"))]
        KeyCommand::Import(_) => Err(without("key files", "pem")),
        #[cfg(all(feature = "pem", not(any(feature = "pkcs11", feature = "aws-kms"))))]
        KeyCommand::Import(_) => Err(without("a place to bring keys to", "pkcs11` or `aws-kms")),
        #[cfg(not(feature = "pem"))]
        KeyCommand::Convert(_) => Err(without("key files", "pem")),
    }
}

#[cfg(not(all(feature = "pem", feature = "pkcs11")))]
fn without(what: &str, feature: &str) -> Failure {
    Failure::configuration(format!(
        "this program was built without {what}; build it with the cargo feature `{feature}`"
    ))
}
