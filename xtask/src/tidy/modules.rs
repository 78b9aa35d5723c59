//! What every Rust file has to be like: it says what it owns, and it is short.

use super::{finding::Finding, tree::Tree};

/// The most lines of a file that are not tests.
const LONGEST: usize = 300;

/// The first line says what the module owns.
pub(crate) fn open_with_what_they_own(tree: &Tree) -> Vec<Finding> {
    let silent = tree.with_ending(".rs").filter(|(_, text)| !opens_with_words(text));
    silent
        .map(|(path, _)| {
            Finding::new(
                path,
                1,
                "the module does not say what it owns",
                "begin the first line with `//!` and say it in a sentence",
            )
        })
        .collect()
}

/// Files are rooms: one concept, and no hall.
pub(crate) fn short(tree: &Tree) -> Vec<Finding> {
    let files = tree.with_ending(".rs").filter(|(path, _)| !is_for_tests(path));
    files
        .map(|(path, text)| (path, lines_before_tests(text)))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| {
            let what = format!("{lines} lines that are not tests, at most {LONGEST} are allowed");
            Finding::new(path, LONGEST + 1, what, "move a concept of its own to a file of its own")
        })
        .collect()
}

fn opens_with_words(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty())
}

fn is_for_tests(path: &str) -> bool {
    let mut folders = path.split('/');
    let file = folders.next_back();
    file == Some("tests.rs") || folders.any(|folder| folder == "tests" || folder == "benches")
}

/// The lines before the test module at the bottom; all of them when there is none.
fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let attribute = lines.iter().rposition(|line| *line == "#[cfg(test)]");
    let tests = attribute.filter(|at| {
        let item = lines[at + 1..].iter().find(|line| !line.starts_with("#[") && !line.is_empty());
        item.is_some_and(|line| line.starts_with("mod "))
    });
    tests.unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::places;

    fn opening(text: &str) -> Vec<String> {
        places(&open_with_what_they_own(&Tree::of_files(&[("crates/core/src/clock.rs", text)])))
    }

    fn lengths(path: &str, text: &str) -> Vec<String> {
        places(&short(&Tree::of_files(&[(path, text)])))
    }

    #[test]
    fn a_module_opens_with_what_it_owns() {
        assert_eq!(opening("//! What time it is.\nuse std::time;\n"), Vec::<String>::new());
        for silent in ["use std::time;\n", "// What time it is.\n", "//!\n", "\n//! Late.\n", ""] {
            assert_eq!(
                opening(silent),
                ["crates/core/src/clock.rs:1: the module does not say what it owns"],
                "{silent:?}"
            );
        }
    }

    #[test]
    fn only_rust_files_are_modules() {
        assert_eq!(open_with_what_they_own(&Tree::of_files(&[("README.md", "# soticket\n")])), []);
    }

    #[test]
    fn tests_at_the_bottom_do_not_count() {
        let code = "fn f() {}\n".repeat(LONGEST);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        assert_eq!(lengths("crates/core/src/a.rs", &format!("{code}{tests}")), Vec::<String>::new());
        assert_eq!(
            lengths("crates/core/src/a.rs", &format!("fn g() {{}}\n{code}{tests}")),
            ["crates/core/src/a.rs:301: 301 lines that are not tests, at most 300 are allowed"]
        );
    }

    #[test]
    fn a_helper_for_tests_does_not_hide_what_follows() {
        let code = "fn f() {}\n".repeat(LONGEST);
        let helper_first = format!("#[cfg(test)]\nfn helper() {{}}\n{code}");
        assert_eq!(lengths("crates/core/src/a.rs", &helper_first).len(), 1);
    }

    #[test]
    fn an_attribute_between_does_not_hide_the_tests() {
        let text = "//! Says.\n#[cfg(test)]\n#[allow(clippy::panic)]\nmod tests;\n";
        assert_eq!(lines_before_tests(text), 1);
    }

    #[test]
    fn files_of_tests_may_be_long() {
        let code = "fn f() {}\n".repeat(LONGEST + 1);
        for path in ["crates/core/src/jwt/tests.rs", "crates/core/tests/it/main.rs", "tests/benches/sign.rs"]
        {
            assert_eq!(lengths(path, &code), Vec::<String>::new(), "{path}");
        }
        assert_eq!(lengths("crates/core/src/contests.rs", &code).len(), 1);
    }
}
