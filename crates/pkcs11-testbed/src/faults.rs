//! The rules that a test sets, and the log of what was called.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The faults of a token behind the module that fails on demand.
#[derive(Debug, Clone)]
pub struct Faults {
    rules: PathBuf,
    log: PathBuf,
}

/// One call to the module that has come back, or has not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function, such as `C_Sign`.
    pub function: String,
    /// The process that called; threads, times and epochs are counted in each process from its own beginning.
    pub process: u32,
    /// The thread that called, by a number of the module's own.
    pub thread: u64,
    /// When, in microseconds since the module's first call.
    pub entered: u64,
    /// When it came back.
    pub left: Option<u64>,
    /// The session, or for `C_OpenSession` the session that was given out.
    pub handle: u64,
    /// What it answered.
    pub code: Option<u64>,
    /// How often the module had been initialised when the function was entered.
    pub epoch: u64,
}

impl Faults {
    /// Those of the token that was prepared in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { rules: folder.join("faults"), log: folder.join("calls.log") }
    }

    /// Sets the rules, one a line, in the place of all others.
    pub fn set(&self, rules: &str) {
        let new = self.rules.with_extension("new");
        fs::write(&new, rules).unwrap();
        fs::rename(new, &self.rules).unwrap();
    }

    /// Lets everything succeed.
    pub fn clear(&self) {
        self.set("");
    }

    /// Every call so far, in the order in which they were entered.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut calls: Vec<Call> = Vec::new();
        let mut open: HashMap<(u32, u64), usize> = HashMap::new();
        for line in fs::read_to_string(&self.log).unwrap_or_default().lines() {
            let words: Vec<_> = line.split(' ').collect();
            let [process, micros, thread, moment, function, handle, code, epoch] = words.as_slice() else {
                panic!("a line of the call log is broken: {line}");
            };
            let hexadecimal = |text: &str| u64::from_str_radix(text, 16).unwrap();
            let (process, thread) = (process.parse().unwrap(), thread.parse().unwrap());
            let micros = micros.parse().unwrap();
            if *moment == "enter" {
                open.insert((process, thread), calls.len());
                calls.push(Call {
                    function: (*function).to_owned(),
                    process,
                    thread,
                    entered: micros,
                    left: None,
                    handle: hexadecimal(handle),
                    code: None,
                    epoch: epoch.parse().unwrap(),
                });
            } else {
                let call = &mut calls[open.remove(&(process, thread)).unwrap()];
                call.left = Some(micros);
                call.code = Some(hexadecimal(code));
                call.handle = hexadecimal(handle);
            }
        }
        calls
    }

    /// How often `function` was called.
    #[must_use]
    pub fn count(&self, function: &str) -> usize {
        self.calls().iter().filter(|call| call.function == function).count()
    }

    /// Asserts that the module was never shut down while a call was inside it.
    pub fn assert_no_finalize_during_a_call(&self) {
        let calls = self.calls();
        for finalize in calls.iter().filter(|call| call.function == "C_Finalize") {
            let end = finalize.left.unwrap_or(u64::MAX);
            let inside = calls
                .iter()
                .filter(|call| call.function != "C_Finalize" && call.process == finalize.process)
                .find(|call| call.entered < end && call.left.unwrap_or(u64::MAX) > finalize.entered);
            assert_eq!(inside, None, "{finalize:?}");
        }
    }

    /// Asserts that each session is closed at most once, in the epoch that opened it, and used only while open.
    pub fn assert_sessions_are_their_epochs(&self) {
        let mut open: HashSet<(u32, u64, u64)> = HashSet::new();
        for call in self.calls() {
            let session = (call.process, call.epoch, call.handle);
            match (call.function.as_str(), call.code) {
                ("C_OpenSession", Some(0)) => assert!(open.insert(session), "opened twice: {call:?}"),
                ("C_CloseSession", _) => assert!(open.remove(&session), "not open in this epoch: {call:?}"),
                ("C_SignInit" | "C_Sign" | "C_Login" | "C_FindObjectsInit", _) => {
                    assert!(open.contains(&session), "a session of another epoch: {call:?}");
                }
                _ => {}
            }
        }
    }

    /// How many sessions of the newest epoch are open, in the process that called last.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        let mut calls = self.calls();
        let newest = calls.last().map(|call| call.process);
        calls.retain(|call| Some(call.process) == newest);
        let epoch = calls.iter().map(|call| call.epoch).max().unwrap_or_default();
        let of_now = |function: &str| {
            calls
                .iter()
                .filter(|call| call.function == function && call.epoch == epoch && call.code == Some(0))
                .count()
        };
        if of_now("C_Finalize") > 0 { 0 } else { of_now("C_OpenSession") - of_now("C_CloseSession") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_two_calls(finalizing: u32) {
        let folder = tempfile::tempdir().unwrap();
        let log = format!(
            "7 10 0 enter C_GetInfo 0 0 1\n7 30 0 leave C_GetInfo 0 0 1\n\
             {finalizing} 20 1 enter C_Finalize 0 0 1\n{finalizing} 25 1 leave C_Finalize 0 0 1\n"
        );
        fs::write(folder.path().join("calls.log"), log).unwrap();
        Faults::new(folder.path()).assert_no_finalize_during_a_call();
    }

    #[test]
    #[should_panic(expected = "C_GetInfo")]
    fn a_shutdown_during_a_call_of_the_same_process_is_noticed() {
        assert_two_calls(7);
    }

    #[test]
    fn what_another_process_does_at_the_same_count_of_its_own_clock_is_no_matter() {
        assert_two_calls(8);
    }
}
