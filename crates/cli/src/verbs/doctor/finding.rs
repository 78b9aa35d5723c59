//! What a check found, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use crate::failure::{Exit, Failure};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Warning,
    Failed(Exit),
    Skipped,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One check.
#[derive(Debug)]
pub(super) struct Finding {
    check: &'static str,
    outcome: Outcome,
    /// What was found: a line, and the causes.
    lines: Vec<String>,
    cure: &'static str,
}

impl Finding {
    pub(super) fn new(check: &'static str, outcome: Outcome, lines: Vec<String>, cure: &'static str) -> Self {
        Self { check, outcome, lines, cure }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = format!("\n{:25}", "");
        write!(f, "{:<9}{:<16}{}", self.outcome.name(), self.check, self.lines.join(&indent))?;
        if self.cure.is_empty() { Ok(()) } else { write!(f, "{indent}cure: {}", self.cure) }
    }
}

/// All checks, in order.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    pub(super) fn ok(&mut self, check: &'static str, found: String) {
        self.push(Finding::new(check, Outcome::Ok, vec![found], ""));
    }

    pub(super) fn warning(&mut self, check: &'static str, found: &str) {
        self.push(Finding::new(check, Outcome::Warning, vec![found.to_owned()], ""));
    }

    pub(super) fn failed(&mut self, check: &'static str, failure: Failure, cure: &'static str) {
        self.push(Finding::new(check, Outcome::Failed(failure.exit()), failure.lines(), cure));
    }

    pub(super) fn skip(&mut self, checks: &[&'static str], reason: &str) {
        let skipped =
            checks.iter().map(|check| Finding::new(check, Outcome::Skipped, vec![reason.to_owned()], ""));
        self.0.extend(skipped);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// The exit code of the first check that failed.
    pub(super) fn exit(&self) -> Exit {
        let failed = self.0.iter().find_map(|finding| match finding.outcome {
            Outcome::Failed(exit) => Some(exit),
            _ => None,
        });
        failed.unwrap_or(Exit::Done)
    }

    pub(super) fn as_json(&self) -> Value {
        let checks = self.0.iter().map(|finding| {
            let cure = (!finding.cure.is_empty()).then_some(finding.cure);
            json!({"check": finding.check, "outcome": finding.outcome.name(), "found": finding.lines, "cure": cure})
        });
        json!({ "checks": checks.collect::<Vec<_>>(), "exit_code": self.exit() as u8 })
    }
}
