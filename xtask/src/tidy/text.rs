//! What every text file has to be like.

use super::{finding::Finding, tree::Tree};

/// Words that mark unfinished work. Put together here, so that this file does not carry them.
const MARKERS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Macros that are not to be left behind.
const MACROS: [&str; 3] = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("db", "g!(")];

/// Where machines keep what belongs to one user.
const PRIVATE_FOLDERS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// No white space at the end of lines, and one line break at the end of files.
pub(crate) fn ends_clean(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !is_golden(path)) {
        findings.extend(numbered(text).filter(|(_, line)| line.ends_with([' ', '\t', '\r'])).map(
            |(number, _)| Finding::new(path, number, "white space at the end of the line", "remove it"),
        ));
        let last = text.lines().count();
        if !text.is_empty() && !text.ends_with('\n') {
            findings.push(Finding::new(path, last, "no line break at the end of the file", "add one"));
        }
        if text.ends_with("\n\n") {
            findings.push(Finding::new(path, last, "empty lines at the end of the file", "remove them"));
        }
    }
    findings
}

/// A test that is skipped says why.
pub(crate) fn no_ignored_test_without_reason(tree: &Tree) -> Vec<Finding> {
    let silent = |line: &str| {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        line.starts_with("#[ignore]") || line.starts_with("#[ignore=\"\"]")
    };
    let files = tree.with_ending(".rs");
    files
        .flat_map(|(path, text)| {
            numbered(text).filter(|(_, line)| silent(line)).map(move |(number, _)| {
                let cure = "write `#[ignore = \"what it needs\"]`";
                Finding::new(path, number, "a test is ignored and nobody knows why", cure)
            })
        })
        .collect()
}

/// Nothing is left half done.
pub(crate) fn no_leftovers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !is_golden(path)) {
        for (number, line) in numbered(text) {
            if let Some(marker) = MARKERS.iter().find(|marker| has_word(line, marker)) {
                let what = format!("the marker {marker} is left");
                findings.push(Finding::new(path, number, what, "finish it, or leave it out"));
            }
            if let Some(name) = MACROS.iter().find(|name| has_start_of_word(line, name)) {
                let what = format!("the macro {name}…) is left");
                findings.push(Finding::new(path, number, what, "write the code that belongs there"));
            }
        }
    }
    findings
}

/// What is written here holds on every machine.
pub(crate) fn no_paths_of_one_machine(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (number, line) in numbered(text) {
            if let Some(folder) = PRIVATE_FOLDERS.iter().find(|folder| has_path_under(line, folder)) {
                let what = format!("a path of one machine, under {folder}");
                findings.push(Finding::new(path, number, what, "make it relative to the repository"));
            }
        }
    }
    findings
}

/// The lines, counted from 1.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').enumerate().map(|(index, line)| (index + 1, line))
}

/// Where `word` stands and is no part of a longer one.
pub(super) fn places_of_word<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    line.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !line[..*at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word))
}

/// Bytes that tests compare, and what tests printed: neither is written by people.
fn is_golden(path: &str) -> bool {
    path.ends_with(".snap") || path.split('/').any(|folder| folder == "testdata")
}

fn has_word(line: &str, word: &str) -> bool {
    places_of_word(line, word).next().is_some()
}

fn has_start_of_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(is_word))
}

/// A path begins after something that is not part of a path or of a URL.
fn has_path_under(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + folder.len()..]);
        let begins = before.ends_with("://") || !before.ends_with(|c| is_word(c) || "./-}$~*".contains(c));
        begins && after.starts_with(is_word)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests;
