//! What came of a run over many tenants, told when it ends: how many, from where, and why not.

use std::collections::BTreeMap;

use soticket::CacheStatistics;

use super::Tickets;
use crate::failure::{Exit, Failure};
use crate::logging::kept_back;
use crate::settings::OpenStore;
use crate::terminal::tell;

/// What another run of the same command finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// The tickets that were got, in this place.
    In(String),
    /// The same, of which `--refresh` makes no use.
    Unused(String),
    Nowhere,
}

impl Kept {
    pub(super) fn of(store: Option<&OpenStore>, tickets: Tickets) -> Self {
        match (store, tickets) {
            (Some(store), Tickets::Kept) => Self::In(store.place()),
            (Some(store), Tickets::New) => Self::Unused(store.place()),
            (None, _) => Self::Nowhere,
        }
    }
}

/// What came of each tenant, counted.
#[derive(Debug)]
pub(super) struct Tally {
    tenants: usize,
    repeated: usize,
    got: usize,
    failed: usize,
    worst: Exit,
    causes: BTreeMap<String, Cause>,
}

/// Failures of one sort.
#[derive(Debug)]
struct Cause {
    times: usize,
    example: String,
}

impl Tally {
    pub(super) fn of(tenants: usize, repeated: usize) -> Self {
        let worst = Exit::Done;
        Self { tenants, repeated, got: 0, failed: 0, worst, causes: BTreeMap::new() }
    }

    pub(super) fn got(&mut self) {
        self.got += 1;
    }

    pub(super) fn fail(&mut self, failure: &Failure) {
        self.failed += 1;
        self.worst = self.worst.max(failure.exit());
        let example = || failure.subject().unwrap_or("one of them").to_owned();
        let cause =
            self.causes.entry(failure.sort()).or_insert_with(|| Cause { times: 0, example: example() });
        cause.times += 1;
    }

    pub(super) fn failed(&self) -> usize {
        self.failed
    }

    /// The worst failure's exit code.
    pub(super) fn worst(&self) -> Exit {
        self.worst
    }

    /// Tells it on standard error.
    pub(super) fn tell(&self, cache: &CacheStatistics, kept: &Kept) {
        tell(&self.lines(cache, kept).iter().map(|line| format!("{line}\n")).collect::<String>());
    }

    fn lines(&self, cache: &CacheStatistics, kept: &Kept) -> Vec<String> {
        let mut lines = vec![self.headline(cache)];
        lines.extend(self.told_causes());
        if self.repeated > 0 {
            lines.push(format!("listed more than once, and done once: {}", self.repeated));
        }
        let warnings = kept_back();
        if warnings > 0 {
            lines.push(format!("{warnings} more warnings like those above were not shown; -v shows them"));
        }
        lines.extend(self.how_to_go_on(kept));
        lines
    }

    fn headline(&self, cache: &CacheStatistics) -> String {
        let Self { tenants, got, failed, .. } = self;
        let (exchanges, adopted) = (cache.exchanges, cache.adopted);
        let left = match self.left() {
            0 => String::new(),
            left => format!(", {left} not done"),
        };
        format!(
            "{tenants} tenants: {got} tickets ({exchanges} by exchange, {adopted} from the store), \
             {failed} failed{left}"
        )
    }

    fn left(&self) -> usize {
        self.tenants.saturating_sub(self.got + self.failed)
    }

    /// The most frequent first.
    fn told_causes(&self) -> Vec<String> {
        let mut causes: Vec<_> = self.causes.iter().collect();
        causes.sort_by_key(|(_, cause)| std::cmp::Reverse(cause.times));
        let rest = causes.split_off(causes.len().min(MAX_CAUSES));
        let told = |(sort, Cause { times, example }): &(&String, &Cause)| match times {
            1 => format!("{times:>7} × {sort} ({example})"),
            _ => format!("{times:>7} × {sort} (such as {example})"),
        };
        let mut lines: Vec<_> = causes.iter().map(told).collect();
        let times: usize = rest.iter().map(|(_, cause)| cause.times).sum();
        if times > 0 {
            lines.push(format!("{times:>7} × for {} other causes", rest.len()));
        }
        lines
    }

    fn how_to_go_on(&self, kept: &Kept) -> Option<String> {
        let is_complete = self.failed + self.left() == 0;
        match kept {
            Kept::Nowhere => Some(
                "no ticket is kept; with --store, the same command would go on where this one ended".into(),
            ),
            _ if is_complete => None,
            Kept::In(place) => Some(format!(
                "to go on, run the same command again: what was got is kept {place}, and not exchanged again"
            )),
            Kept::Unused(place) => Some(format!(
                "to go on, run the same command again without --refresh: what was got is kept {place}"
            )),
        }
    }
}

/// How many causes are told; the rest is counted.
const MAX_CAUSES: usize = 10;

#[cfg(test)]
mod tests;
