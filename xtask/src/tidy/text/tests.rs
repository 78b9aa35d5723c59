//! Each rule of [`super`] on a few lines.

use super::*;
use crate::tidy::finding::places;

const NONE: [&str; 0] = [];

fn on(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<String> {
    places(&rule(&Tree::of_files(&[(path, text)])))
}

#[test]
fn white_space_at_the_end_of_a_line_is_found() {
    assert_eq!(
        on(ends_clean, "a.md", "one\ntwo \nthree\t\n"),
        ["a.md:2: white space at the end of the line", "a.md:3: white space at the end of the line",]
    );
    assert_eq!(on(ends_clean, "a.md", "one\r\n"), ["a.md:1: white space at the end of the line"]);
}

#[test]
fn a_file_ends_with_one_line_break() {
    assert_eq!(on(ends_clean, "a.md", "one\ntwo"), ["a.md:2: no line break at the end of the file"]);
    assert_eq!(on(ends_clean, "a.md", "one\n\n"), ["a.md:2: empty lines at the end of the file"]);
    assert_eq!(on(ends_clean, "a.md", "one\n"), NONE);
    assert_eq!(on(ends_clean, "a.md", ""), NONE);
}

#[test]
fn golden_bytes_and_snapshots_end_as_they_do() {
    assert_eq!(on(ends_clean, "crates/core/testdata/key.xml", "<a> \r\n"), NONE);
    assert_eq!(on(ends_clean, "crates/cli/tests/it/snapshots/help.snap", "usage \n\n"), NONE);
}

#[test]
fn an_ignored_test_says_why() {
    let bare = "    #[ignore]\n    #[test]\n";
    assert_eq!(
        on(no_ignored_test_without_reason, "a.rs", bare),
        ["a.rs:1: a test is ignored and nobody knows why"]
    );
    assert_eq!(on(no_ignored_test_without_reason, "a.rs", "#[ignore = \"\"]\n").len(), 1);
    assert_eq!(on(no_ignored_test_without_reason, "a.rs", "#[ignore = \"needs an HSM\"]\n"), NONE);
}

#[test]
fn markers_are_found_as_whole_words() {
    for marker in MARKERS {
        let found = on(no_leftovers, "a.sh", &format!("# {marker}: more\n"));
        assert_eq!(found, [format!("a.sh:1: the marker {marker} is left")]);
        assert_eq!(on(no_leftovers, "a.sh", &format!("MAS{marker}NT\n")), NONE);
    }
}

#[test]
fn left_macros_are_found() {
    for name in MACROS {
        let found = on(no_leftovers, "a.rs", &format!("fn f() {{\n    {name})\n}}\n"));
        assert_eq!(found, [format!("a.rs:2: the macro {name}…) is left")]);
        assert_eq!(on(no_leftovers, "a.rs", &format!("my_{name})\n")), NONE);
    }
}

#[test]
fn paths_of_one_machine_are_found() {
    for folder in PRIVATE_FOLDERS {
        for line in
            [format!("key = \"{folder}me/key.pem\""), format!("{folder}me"), format!("file://{folder}x")]
        {
            let found = on(no_paths_of_one_machine, "a.toml", &format!("\n{line}\n"));
            assert_eq!(found, [format!("a.toml:2: a path of one machine, under {folder}")], "{line}");
        }
    }
}

#[test]
fn urls_relative_paths_and_placeholders_are_no_paths_of_one_machine() {
    for folder in PRIVATE_FOLDERS {
        for line in
            [format!("https://example.com{folder}x"), format!("..{folder}x"), format!("{folder}<you>/x")]
        {
            assert_eq!(on(no_paths_of_one_machine, "a.md", &line), NONE, "{line}");
        }
    }
}
