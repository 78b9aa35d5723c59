//! A test in a process of its own, with a token of its own, in a folder that is gone afterwards.

use std::any::type_name;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::bed::{Bed, FOLDER_VARIABLE};
use crate::device::{Output, Setup};

/// The body of a `#[test]`: prepares a token, and runs the closure, which gets a [`Bed`](crate::Bed), in a process
/// of its own.
#[macro_export]
macro_rules! isolated {
    ($setup:expr, $body:expr) => {{
        fn here() {}
        $crate::run_isolated(&$crate::test_path(here), &$setup, $body)
    }};
}

/// The name by which the test harness knows the test that `here` is declared in.
#[must_use]
pub fn test_path<F: Fn()>(_here: F) -> String {
    let path = type_name::<F>().trim_end_matches("::here");
    path.split_once("::").map_or(path, |(_, path)| path).to_owned()
}

/// What [`isolated!`](crate::isolated) comes to; `test` is the test's name.
///
/// # Panics
/// When the body panics, crashes, or takes longer than the setup allows; with its output.
pub fn run_isolated(test: &str, setup: &Setup, body: impl FnOnce(&Bed)) {
    if std::env::var_os(FOLDER_VARIABLE).is_some() {
        let bed = Bed::from_environment();
        body(&bed);
        let done = bed.folder().join(DONE);
        drop(bed);
        return fs::write(done, "").unwrap();
    }
    let folder = tempfile::Builder::new().prefix("soticket-token-").tempdir().unwrap();
    let environment = setup.prepare(folder.path());
    let log = folder.path().join("output.log");
    let output = File::create(&log).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([test, "--exact", "--nocapture", "--include-ignored"]).envs(environment);
    if setup.output() == Output::Kept {
        child.stdout(output.try_clone().unwrap()).stderr(output);
    }
    child.process_group(0);
    let mut child = child.spawn().unwrap();
    let status = wait(&mut child, setup.limit());
    // Whatever the body started and left behind.
    let _ = Command::new("sh").args(["-c", &format!("kill -KILL -- -{}", child.id())]).output();
    judge(test, status, folder.path(), &fs::read_to_string(log).unwrap());
}

fn judge(test: &str, status: Option<ExitStatus>, folder: &Path, output: &str) {
    match status {
        None => panic!("{test} was killed, since it took too long:\n{output}"),
        Some(status) if status.signal().is_some() => {
            panic!("{test} was ended by signal {}:\n{output}", status.signal().unwrap())
        }
        Some(status) if !status.success() => panic!("{test} failed in its own process:\n{output}"),
        Some(_) => assert!(folder.join(DONE).exists(), "{test} did not run in its own process:\n{output}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a process is waited for in real time")]
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() > until {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Written when the body has returned.
const DONE: &str = "done";
