//! Unsafe code stands in few files, where it is read with the care that it needs.

use super::{finding::Finding, text, tree::Tree};

/// The files and folders that may hold it.
const ALLOWED: [&str; 4] = [
    "crates/pkcs11-testbed/src/fork.rs",
    "crates/pkcs11-testbed/src/module/",
    "crates/signer-pkcs11/src/raw.rs",
    "tests/kryoptic-module/",
];

/// Put together here, so that this file does not carry it.
const WORD: &str = concat!("un", "safe");

/// What follows the word in code, as against prose.
const FOLLOWS: [&str; 7] = ["{", "(", "fn ", "impl", "extern ", "trait ", "static "];

/// No unsafe code elsewhere, whatever lints a file allows itself.
pub(crate) fn only_where_allowed(tree: &Tree) -> Vec<Finding> {
    let files = tree.with_ending(".rs").filter(|(path, _)| !is_allowed(path));
    files
        .flat_map(|(path, text)| {
            text::numbered(text).filter(|(_, line)| is_unsafe(line)).map(move |(number, _)| {
                let cure = "call what is in one of the files that xtask/src/tidy/unsafe_code.rs lists";
                Finding::new(path, number, "unsafe code outside of the files for it", cure)
            })
        })
        .collect()
}

fn is_allowed(path: &str) -> bool {
    ALLOWED.iter().any(|allowed| path == *allowed || (allowed.ends_with('/') && path.starts_with(allowed)))
}

fn is_unsafe(line: &str) -> bool {
    !line.trim_start().starts_with("//")
        && text::places_of_word(line, WORD).any(|at| {
            let rest = line[at + WORD.len()..].trim_start();
            rest.is_empty() || FOLLOWS.iter().any(|next| rest.starts_with(next))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::places;

    /// The findings in a file of one line, in which `?` stands for the word.
    fn on(path: &str, line: &str) -> Vec<String> {
        places(&only_where_allowed(&Tree::of_files(&[(path, &format!("{}\n", line.replace('?', WORD)))])))
    }

    #[test]
    fn every_form_of_unsafe_code_is_found() {
        for line in [
            "    let rv = ? { sign(session) };",
            "?{sign()}",
            "    ?",
            "pub ? fn sign() {}",
            "pub async ? fn sign() {}",
            "? impl Send for Session {}",
            "? impl<T> Send for Held<T> {}",
            "? extern \"C\" {",
            "type Sign = ? extern \"C\" fn() -> u64;",
            "? trait Module {}",
            "#[?(no_mangle)]",
            "#[cfg_attr(unix, ?(no_mangle))]",
        ] {
            let found = on("crates/core/src/clock.rs", line);
            assert_eq!(
                found,
                ["crates/core/src/clock.rs:1: unsafe code outside of the files for it"],
                "{line}"
            );
        }
    }

    #[test]
    fn words_and_lints_are_no_code() {
        for line in ["#![deny(?_code)]", "// ? { see above }", "/// An ? fn.", "\"an ? key\"", "fn is_?() {}"]
        {
            assert_eq!(on("crates/core/src/clock.rs", line), [""; 0], "{line}");
        }
        assert_eq!(on("docs/guide.md", "? { }"), [""; 0]);
    }

    #[test]
    fn it_may_stand_where_it_is_read_with_care_and_beside_that_not() {
        for allowed in ALLOWED {
            let path = if allowed.ends_with('/') { format!("{allowed}calls.rs") } else { allowed.to_owned() };
            assert_eq!(on(&path, "? {"), [""; 0], "{path}");
        }
        for path in
            ["crates/signer-pkcs11/src/raw.rs.rs", "crates/signer-pkcs11/src/session.rs", "tests/it/hsm.rs"]
        {
            assert_eq!(on(path, "? {").len(), 1, "{path}");
        }
    }
}
