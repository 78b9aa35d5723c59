//! The command line `soticket`.

mod args;
mod core_dumps;
mod failure;
mod interruption;
mod logging;
mod output;
#[cfg(any(feature = "file-store", feature = "pem", feature = "pkcs11", feature = "redis"))]
mod place;
mod secret_input;
mod settings;
mod terminal;
mod verbs;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    core_dumps::disable();
    match args::secrets::refuse(std::env::args_os()).and_then(|()| run(Cli::parse())) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report();
            failure.exit().into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    logging::start(cli.verbose);
    let runtime = runtime_for(&cli.command)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unexpected, "the runtime cannot be started").with_cause(error))?;
    let config = cli.config.as_deref();
    runtime.block_on(async {
        match cli.command {
            Command::Demo => verbs::demo::run().await,
            Command::Ticket(args) => verbs::ticket::run(args, config).await,
            Command::Sign(args) => verbs::sign::run(args, config).await,
            Command::Verify(args) => verbs::verify::run(args, config).await,
            Command::Key(args) => verbs::key::run(args, config).await,
            Command::Store(args) => verbs::store::run(args, config).await,
            Command::Doctor(args) => verbs::doctor::run(args, config).await,
            Command::Emulator(args) => verbs::emulator::run(args, config).await,
            Command::Completions(args) => verbs::shell::completions(&args),
            Command::Man(args) => verbs::shell::man(&args),
        }
    })
}

/// Many tenants are worth every processor, since most of the work is signatures; one is not worth the threads.
fn runtime_for(command: &Command) -> tokio::runtime::Builder {
    match command {
        Command::Ticket(args) if args.all => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    }
}
