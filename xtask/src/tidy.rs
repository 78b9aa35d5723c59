//! The chore `tidy`: rules of the repository that compilers do not know.
//!
//! Each rule is a function from a [`Tree`] to findings, so that it can be tried on a few made-up files.

mod arrows;
mod dependencies;
mod finding;
mod links;
mod manifests;
mod modules;
mod text;
mod tree;
mod unsafe_code;

use crate::{error::Error, repository::Repository};
use finding::Finding;
use tree::Tree;

/// A rule of the repository.
type Rule = fn(&Tree) -> Vec<Finding>;

/// Prints every finding; fails when there is one.
pub(crate) fn run(repository: &Repository) -> Result<(), Error> {
    let findings = check(&Tree::read(repository)?);
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() { Ok(()) } else { Err(Error::Untidy { count: findings.len() }) }
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings.dedup();
    findings
}

const RULES: &[Rule] = &[
    arrows::only_drawn_ones,
    dependencies::none_banned,
    dependencies::none_newer_than_our_rust,
    links::lead_somewhere,
    manifests::folder_is_name,
    manifests::inherit_from_workspace,
    manifests::versions_from_workspace,
    modules::open_with_what_they_own,
    modules::short,
    text::ends_clean,
    text::no_ignored_test_without_reason,
    text::no_leftovers,
    text::no_paths_of_one_machine,
    unsafe_code::only_where_allowed,
];
