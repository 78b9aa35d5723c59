//! The rules by which calls fail.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use cryptoki_sys::CK_RV;

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) when: When,
    pub(super) code: CK_RV,
    pub(super) sleep: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Instead of the real call.
    Before,
    /// After the real call.
    After,
    /// The real signature is spoiled.
    WrongKey,
    /// The last session's handle is answered again.
    SameHandle,
}

#[derive(Debug)]
struct Rule {
    function: String,
    skip: u64,
    /// `None`: for ever.
    count: Option<u64>,
    effect: Effect,
}

#[derive(Debug, Default)]
struct Rules {
    stamp: Option<(u64, i64, i64, u64)>,
    rules: Vec<Rule>,
}

static RULES: LazyLock<Mutex<Rules>> = LazyLock::new(Mutex::default);
static FILE: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| std::env::var_os("P11FAULT_CTL").map(PathBuf::from));

/// What the rules have in store for this call of `function`; it counts as one.
pub(super) fn strike(function: &str) -> Option<Effect> {
    let path = FILE.as_ref()?;
    let mut rules = RULES.lock().unwrap_or_else(PoisonError::into_inner);
    let stamp = fs::metadata(path).ok().map(|file| (file.ino(), file.mtime(), file.mtime_nsec(), file.len()));
    if stamp != rules.stamp {
        let text = fs::read_to_string(path).unwrap_or_default();
        rules.rules = text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect();
        rules.stamp = stamp;
    }
    rules.rules.iter_mut().find_map(|rule| rule.strike(function))
}

impl Rule {
    fn strike(&mut self, function: &str) -> Option<Effect> {
        if self.function != "*" && self.function != function {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        match &mut self.count {
            Some(0) => None,
            Some(count) => {
                *count -= 1;
                Some(self.effect)
            }
            None => Some(self.effect),
        }
    }
}

fn parse(line: &str) -> Rule {
    let words: Vec<_> = line.split_whitespace().collect();
    let [function, skip, count, code, when, sleep @ ..] = words.as_slice() else {
        panic!("no rule: {line}");
    };
    let when = match *when {
        "before" => When::Before,
        "after" => When::After,
        "wrongkey" => When::WrongKey,
        "samehandle" => When::SameHandle,
        other => panic!("no such time: {other}"),
    };
    let code = CK_RV::from_str_radix(code.trim_start_matches("0x"), 16).unwrap();
    let sleep = sleep.first().map_or(0, |sleep| sleep.parse().unwrap());
    Rule {
        function: (*function).to_owned(),
        skip: skip.parse().unwrap(),
        count: (*count != "-1").then(|| count.parse().unwrap()),
        effect: Effect { when, code, sleep: Duration::from_millis(sleep) },
    }
}
