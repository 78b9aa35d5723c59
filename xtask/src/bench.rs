//! The chore `bench`: the benchmarks of the package `soticket-tests`.

use cargo_metadata::{Metadata, TargetKind};

use crate::{
    ci::{PROGRAM, PROGRAM_VARIABLE},
    command::Invocation,
    error::Error,
    kms::Doubles,
    repository::Repository,
};

/// The package that holds the benchmarks.
const PACKAGE: &str = "soticket-tests";

/// The benchmarks that start the release build of the command line.
const WHOLE_PROCESSES: [&str; 2] = ["cache", "process"];

/// The benchmark that needs a stand-in for AWS KMS, and what it goes by where a filter is given.
const WITH_KMS: &str = "kms";

/// Which benchmarks to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    filter: Vec<String>,
    processes: bool,
}

impl Selection {
    /// All benchmarks whose names contain one of `filter`; an empty one leaves none out.
    pub(crate) fn all(filter: Vec<String>) -> Self {
        Self { filter, processes: true }
    }

    /// As [`all`](Self::all), without those of whole processes.
    pub(crate) fn quick(filter: Vec<String>) -> Self {
        Self { filter, processes: false }
    }
}

/// Runs the selected benchmarks, one after the other so that they do not disturb each other.
pub(crate) fn run(repository: &Repository, selection: &Selection) -> Result<(), Error> {
    let plan = plan(&repository.workspace()?, selection);
    if plan.is_empty() {
        println!("the package `{PACKAGE}` has no such benchmarks");
    }
    let workspace = repository.workspace()?;
    let needs_double = targets(&workspace).iter().any(|target| target == WITH_KMS)
        && (selection.filter.is_empty()
            || selection.filter.iter().any(|part| WITH_KMS.contains(part.as_str())));
    let start = || Doubles::start(repository, &workspace.target_directory);
    let doubles = needs_double.then(start).transpose()?;
    plan.into_iter().try_for_each(|command| match &doubles {
        Some(doubles) => doubles.around(command).run(repository),
        None => command.run(repository),
    })
}

fn plan(workspace: &Metadata, selection: &Selection) -> Vec<Invocation> {
    let (processes, functions): (Vec<_>, Vec<_>) =
        targets(workspace).into_iter().partition(|target| WHOLE_PROCESSES.contains(&target.as_str()));
    let mut plan: Vec<_> = functions.iter().map(|target| bench(target, &selection.filter)).collect();
    if selection.processes && !processes.is_empty() {
        let program = workspace.target_directory.join("release").join(PROGRAM);
        plan.push(Invocation::cargo(["build", "--release", "--package", "soticket-cli"]));
        let run =
            |target: &String| bench(target, &selection.filter).with_env(PROGRAM_VARIABLE, program.as_str());
        plan.extend(processes.iter().map(run));
    }
    plan
}

fn targets(workspace: &Metadata) -> Vec<String> {
    let package = workspace.packages.iter().find(|package| package.name.as_str() == PACKAGE);
    let targets = package.into_iter().flat_map(|package| &package.targets);
    targets.filter(|target| target.is_kind(TargetKind::Bench)).map(|target| target.name.clone()).collect()
}

fn bench(target: &str, filter: &[String]) -> Invocation {
    let command = Invocation::cargo(["bench", "--package", PACKAGE, "--all-features", "--bench", target]);
    if filter.is_empty() { command } else { command.with_args(["--"]).with_args(filter.to_vec()) }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::MetadataCommand;

    use super::*;

    fn plan_of(benches: &[&str], selection: &Selection) -> Vec<String> {
        let target = |name| {
            format!(
                r#"{{"name": "{name}", "kind": ["bench"], "crate_types": ["bin"], "src_path": "/w/{name}.rs"}}"#
            )
        };
        let targets = benches.iter().map(target).collect::<Vec<_>>().join(",");
        let workspace = format!(
            r#"{{"packages": [{{"name": "{PACKAGE}", "version": "0.1.0", "id": "t", "dependencies": [],
                "targets": [{targets}], "features": {{}}, "manifest_path": "/w/tests/Cargo.toml"}}],
                "workspace_members": ["t"], "resolve": null, "workspace_root": "/w",
                "target_directory": "/w/target", "version": 1}}"#
        );
        let workspace = MetadataCommand::parse(workspace).unwrap();
        plan(&workspace, selection).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whole_processes_come_last_with_a_program_to_start() {
        let plan = plan_of(&["process", "signing"], &Selection::all(Vec::new()));
        assert_eq!(
            plan,
            [
                "cargo bench --package soticket-tests --all-features --bench signing",
                "cargo build --release --package soticket-cli",
                "SOTICKET_BINARY=/w/target/release/soticket cargo bench --package soticket-tests --all-features \
                 --bench process",
            ]
        );
    }

    #[test]
    fn quick_leaves_whole_processes_out_and_a_filter_reaches_the_benchmarks() {
        let plan = plan_of(&["process", "signing"], &Selection::quick(vec!["rsa".to_owned()]));
        assert_eq!(plan, ["cargo bench --package soticket-tests --all-features --bench signing -- rsa"]);
    }

    #[test]
    fn nothing_is_built_when_there_is_nothing_to_measure() {
        assert_eq!(plan_of(&[], &Selection::all(Vec::new())), [""; 0]);
    }
}
