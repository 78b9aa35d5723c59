//! `soticket completions` and `soticket man`: what a shell and `man` need to know of the program.

use std::path::Path;

use clap::{Command, CommandFactory as _};

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::failure::{Exit, Failure};
use crate::output::print;

const PROGRAM: &str = "soticket";

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), PROGRAM, &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(crate) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let command = Cli::command();
    match &args.out {
        None => print(&page(command)?)?,
        Some(folder) => write_pages(command, folder)?,
    }
    Ok(Exit::Done)
}

fn page(command: Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Unexpected, "the page cannot be made").with_cause(error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn write_pages(command: Command, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder)).map_err(
        |error| {
            Failure::configuration(format!("the pages cannot be written into `{}`", folder.display()))
                .with_cause(error)
        },
    )
}
