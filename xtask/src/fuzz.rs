//! The chore `fuzz`: every fuzz target for a while, by libFuzzer and the stable toolchain.

use std::fs;

use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use crate::{command::Invocation, error::Error, repository::Repository};

/// Outside of the workspace: all of it is built with flags of its own.
const MANIFEST: &str = "fuzz/Cargo.toml";

/// The targets, each with the folder of what it begins with.
const TARGETS: [(&str, &str); 1] = [("soap_answer", "crates/core/testdata/soap")];

/// What `cargo fuzz` passes too, without a sanitizer, which the stable toolchain has none of and safe Rust gains little
/// from.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cdebug-assertions",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The largest input that is made up, in bytes, and the longest that one may take, in seconds.
const MAX_INPUT: u32 = 4096;
const MAX_SECONDS: u32 = 5;

/// Builds the targets and runs each of them for so many seconds.
pub(crate) fn run(repository: &Repository, seconds: u32) -> Result<(), Error> {
    let folder = repository.workspace()?.target_directory.join("fuzz");
    let host = host(repository)?;
    build(&folder, &host).run(repository)?;
    for (target, seeds) in TARGETS {
        let corpus = folder.join("corpus").join(target);
        fs::create_dir_all(&corpus)
            .map_err(|cause| Error::NoScratch { parent: corpus.clone().into(), cause })?;
        let fuzzer = fuzz(&folder, &host, target, [corpus.as_str(), seeds], seconds);
        fuzzer.announce();
        fuzzer.run(repository)?;
    }
    Ok(())
}

/// With a target named, the flags are for that alone, and not for what runs while it is built.
fn build(folder: &Utf8Path, host: &str) -> Invocation {
    Invocation::cargo(["build", "--release", "--locked", "--manifest-path", MANIFEST])
        .with_args(["--target", host, "--target-dir", folder.as_str()])
        .with_env("RUSTFLAGS", FLAGS.join(" "))
}

/// What is found is written into `folder`, with the command that repeats it.
fn fuzz(folder: &Utf8Path, host: &str, target: &str, corpus: [&str; 2], seconds: u32) -> Invocation {
    let program: Utf8PathBuf = [folder.as_str(), host, "release", target].iter().collect();
    Invocation::new(program.as_str(), [format!("-max_total_time={seconds}"), format!("-max_len={MAX_INPUT}")])
        .with_args([format!("-timeout={MAX_SECONDS}"), format!("-artifact_prefix={folder}/{target}-")])
        .with_args(["-verbosity=0", "-print_final_stats=1"])
        .with_args(corpus)
}

/// The platform that this runs on, as rustc names it.
fn host(repository: &Repository) -> Result<String, Error> {
    let about = Invocation::new("rustc", ["--version", "--verbose"]).output(repository)?;
    let about = String::from_utf8_lossy(&about).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_run_and_has_something_to_begin_with() {
        let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = fs::read_to_string(root.join(MANIFEST)).unwrap();
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
        for (target, seeds) in TARGETS {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(fs::read_dir(root.join(seeds)).unwrap().count() > 0, "{seeds}");
        }
    }

    #[test]
    fn the_flags_are_for_the_targets_alone() {
        let build = build("/w/target/fuzz".into(), "x86_64-unknown-linux-gnu").to_string();
        assert!(build.starts_with("RUSTFLAGS='--cfg=fuzzing "), "{build}");
        assert!(build.ends_with("--target x86_64-unknown-linux-gnu --target-dir /w/target/fuzz"), "{build}");
    }
}
