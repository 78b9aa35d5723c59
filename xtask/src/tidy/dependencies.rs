//! What packages from outside the workspace have to be like.

use super::{finding::Finding, tree::Tree};

/// The file that is to change when a dependency does.
const LOCK_FILE: &str = "Cargo.lock";

/// Packages that bring a second cryptography provider or a system's TLS.
const BANNED: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];

/// One cryptography provider in the tree.
pub(crate) fn none_banned(tree: &Tree) -> Vec<Finding> {
    let banned = tree.foreign.iter().filter(|package| BANNED.contains(&package.name.as_str()));
    banned
        .map(|package| {
            Finding::new(
                LOCK_FILE,
                line_in_lock_file(tree, &package.name),
                format!("`{}` is in the dependency tree", package.name),
                format!(
                    "see who brings it with `cargo tree --workspace --all-features --target all -i {}`, and turn that feature off",
                    package.name
                ),
            )
        })
        .collect()
}

/// The stated Rust version is true: no dependency asks for a later one.
pub(crate) fn none_newer_than_our_rust(tree: &Tree) -> Vec<Finding> {
    let Some(ours) = &tree.rust_version else {
        return vec![Finding::new(
            "Cargo.toml",
            1,
            "no package states a rust-version",
            "state it in [workspace.package]",
        )];
    };
    let newer = tree.foreign.iter().filter_map(|package| {
        let theirs = package.rust_version.as_ref().filter(|theirs| *theirs > ours)?;
        Some(Finding::new(
            LOCK_FILE,
            line_in_lock_file(tree, &package.name),
            format!("`{}` {} asks for Rust {theirs}, ours is {ours}", package.name, package.version),
            "take an older version of it, or raise rust-version in Cargo.toml and say so in the change log",
        ))
    });
    newer.collect()
}

fn line_in_lock_file(tree: &Tree, package: &str) -> usize {
    let entry = format!("name = \"{package}\"");
    let lines = tree.text(LOCK_FILE).unwrap_or_default().lines();
    lines.zip(1..).find(|(line, _)| *line == entry).map_or(1, |(_, number)| number)
}

#[cfg(test)]
mod tests {
    use cargo_metadata::semver::Version;

    use super::*;
    use crate::tidy::{finding::places, tree::Foreign};

    fn tree(name: &str, rust_version: Option<Version>) -> Tree {
        let lock_file = format!("version = 4\n\n[[package]]\nname = \"{name}\"\n");
        Tree {
            foreign: vec![Foreign { name: name.to_owned(), version: Version::new(1, 2, 3), rust_version }],
            rust_version: Some(Version::new(1, 95, 0)),
            ..Tree::of_files(&[(LOCK_FILE, &lock_file)])
        }
    }

    #[test]
    fn a_banned_package_is_found_by_its_whole_name() {
        assert_eq!(
            places(&none_banned(&tree("ring", None))),
            ["Cargo.lock:4: `ring` is in the dependency tree"]
        );
        assert_eq!(none_banned(&tree("ring-buffer", None)), []);
        assert_eq!(none_banned(&tree("openssl-probe", None)), []);
    }

    #[test]
    fn a_dependency_may_ask_for_our_rust_and_for_none_newer() {
        assert_eq!(none_newer_than_our_rust(&tree("serde", Some(Version::new(1, 95, 0)))), []);
        assert_eq!(none_newer_than_our_rust(&tree("serde", None)), []);
        assert_eq!(
            places(&none_newer_than_our_rust(&tree("serde", Some(Version::new(1, 96, 0))))),
            ["Cargo.lock:4: `serde` 1.2.3 asks for Rust 1.96.0, ours is 1.95.0"]
        );
    }

    #[test]
    fn the_rust_version_is_stated() {
        assert_eq!(none_newer_than_our_rust(&Tree::default()).len(), 1);
    }
}
