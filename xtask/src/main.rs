//! Every chore of the project; `cargo xtask --help` lists them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore speaks to whoever runs it")]

mod args;
mod bench;
mod chore_tests;
mod ci;
mod command;
mod error;
mod features;
mod fuzz;
mod kms;
mod python;
mod repository;
mod scratch;
mod setup;
mod softhsm;
mod steps;
mod tidy;

use std::process::ExitCode;

use args::Request;
use command::Invocation;
use error::Error;
use repository::Repository;

/// The exit code for arguments that make no sense, as the command line `soticket` has it.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let request = match Request::from_environment() {
        Ok(request) => request,
        Err(error) => {
            eprintln!("error: {error}; `cargo xtask --help` lists the commands");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match run(&request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

fn run(request: &Request) -> Result<(), Error> {
    if let Request::Help(text) = request {
        print!("{text}");
        return Ok(());
    }
    let repository = Repository::locate()?;
    match request {
        Request::Help(_) => Ok(()),
        Request::Setup => setup::run(&repository, setup::Scope::Everything),
        Request::Test { filter } => ci::test(&repository, filter),
        Request::SofthsmTest { filter } => softhsm::run(&repository, filter),
        Request::KmsTest { filter } => kms::run(&repository, filter),
        Request::Fuzz { seconds } => fuzz::run(&repository, *seconds),
        Request::Ci(on_failure) => steps::run(&repository, ci::steps(&repository)?, *on_failure),
        Request::Tidy => tidy::run(&repository),
        Request::Demo => Invocation::cargo(["run", "--quiet", "--", "demo"]).run(&repository),
        Request::Bench(selection) => bench::run(&repository, selection),
    }
}
