//! Steps run one after the other, with their times and a table at the end.
#![allow(clippy::disallowed_methods, reason = "the time a step takes is told, and nothing decided by it")]

use std::time::{Duration, Instant};

use crate::{command::Invocation, error::Error, repository::Repository};

/// What happens to the steps after a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Stop,
    KeepGoing,
}

/// One named check.
#[derive(Debug)]
pub(crate) struct Step {
    name: String,
    action: Action,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Action {
    /// Runs a program.
    Program(Invocation),
    /// Runs a chore of this program, named as on its command line.
    Own(&'static str, fn(&Repository) -> Result<(), Error>),
}

impl Step {
    pub(crate) fn new(name: impl Into<String>, action: impl Into<Action>) -> Self {
        Self { name: name.into(), action: action.into() }
    }
}

impl Action {
    fn run(&self, repository: &Repository) -> Result<(), Error> {
        match self {
            Self::Program(invocation) => invocation.run(repository),
            Self::Own(_, chore) => chore(repository),
        }
    }

    /// The command that does this and nothing else.
    fn command(&self) -> String {
        match self {
            Self::Program(invocation) => invocation.to_string(),
            Self::Own(name, _) => format!("cargo xtask {name}"),
        }
    }
}

impl From<Invocation> for Action {
    fn from(invocation: Invocation) -> Self {
        Self::Program(invocation)
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed(Duration),
    Failed(Duration),
    NotRun,
}

/// Runs the steps in order; fails when one did.
pub(crate) fn run(repository: &Repository, steps: Vec<Step>, on_failure: OnFailure) -> Result<(), Error> {
    let count = steps.len();
    let mut table = Vec::with_capacity(count);
    let mut stopped = false;
    for (index, step) in steps.into_iter().enumerate() {
        let outcome = if stopped {
            Outcome::NotRun
        } else {
            println!("\n=== {} of {count}: {} ===\n{}", index + 1, step.name, step.action.command());
            run_one(repository, &step)
        };
        stopped |= matches!(outcome, Outcome::Failed(_)) && on_failure == OnFailure::Stop;
        table.push((step, outcome));
    }
    print!("\n{}", summary(&table));
    match table.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_))).count() {
        0 => Ok(()),
        failed => Err(Error::StepsFailed { failed, all: count }),
    }
}

fn run_one(repository: &Repository, step: &Step) -> Outcome {
    let start = Instant::now();
    let result = step.action.run(repository);
    let elapsed = start.elapsed();
    match result {
        Ok(()) => {
            println!("--- {} passed in {}", step.name, seconds(elapsed));
            Outcome::Passed(elapsed)
        }
        Err(error) => {
            println!("--- {} FAILED after {}: {}", step.name, seconds(elapsed), error.with_causes());
            Outcome::Failed(elapsed)
        }
    }
}

fn summary(table: &[(Step, Outcome)]) -> String {
    let width = table.iter().map(|(step, _)| step.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    let mut total = Duration::ZERO;
    for (step, outcome) in table {
        let (word, time) = match *outcome {
            Outcome::Passed(time) => ("passed", Some(time)),
            Outcome::Failed(time) => ("FAILED", Some(time)),
            Outcome::NotRun => ("not run", None),
        };
        total += time.unwrap_or_default();
        let line = format!("{:width$}  {word:7}  {:>8}", step.name, time.map(seconds).unwrap_or_default());
        text += line.trim_end();
        text.push('\n');
    }
    text += &format!("{:width$}  {:7}  {:>8}\n", "all steps", "", seconds(total));
    for (step, _) in table.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_))) {
        text += &format!("\nto repeat {}:\n  {}\n", step.name, step.action.command());
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_what_failed_and_how_to_repeat_it() {
        let table = [
            (Step::new("format", Invocation::cargo(["fmt"])), Outcome::Passed(Duration::from_millis(1_240))),
            (Step::new("tidy", Action::Own("tidy", |_| Ok(()))), Outcome::Failed(Duration::from_secs(60))),
            (Step::new("tests", Invocation::cargo(["test"])), Outcome::NotRun),
        ];
        let expected = "\
format     passed      1.2 s
tidy       FAILED     60.0 s
tests      not run
all steps             61.2 s

to repeat tidy:
  cargo xtask tidy
";
        let without_padding = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(without_padding(&summary(&table)), without_padding(expected));
    }
}
