//! What every `Cargo.toml` of the workspace has to be like.

use toml::{Table, Value};

use super::{
    finding::Finding,
    tree::{Member, Tree},
};

/// The manifest that the others inherit from.
const ROOT: &str = "Cargo.toml";

/// What packages inherit rather than state.
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// The tables that name dependencies.
const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What a package's name begins with and its folder's does not.
const PREFIX: &str = "soticket-";

/// A folder is its package's name without the prefix.
pub(crate) fn folder_is_name(tree: &Tree) -> Vec<Finding> {
    let misnamed = tree.members.iter().filter_map(|member| {
        let expected = member.name.strip_prefix(PREFIX).unwrap_or(&member.name);
        let folder = member.manifest.rsplit('/').nth(1).unwrap_or_default();
        (folder != expected).then(|| {
            Finding::new(
                &member.manifest,
                line_of(tree, &member.manifest, "name"),
                format!("the package `{}` is in the folder `{folder}`", member.name),
                format!("call the folder `{expected}`"),
            )
        })
    });
    misnamed.collect()
}

/// Version, edition, Rust version, licence and lints are stated once.
pub(crate) fn inherit_from_workspace(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (member, manifest) in manifests(tree) {
        let package = manifest.get("package").and_then(Value::as_table);
        for key in INHERITED {
            if !package.and_then(|package| package.get(key)).is_some_and(inherits) {
                findings.push(Finding::new(
                    &member.manifest,
                    line_of(tree, &member.manifest, key),
                    format!("`{key}` does not come from the workspace"),
                    format!("write `{key}.workspace = true` in [package]"),
                ));
            }
        }
        if !manifest.get("lints").is_some_and(inherits) {
            findings.push(Finding::new(
                &member.manifest,
                line_of(tree, &member.manifest, "[lints"),
                "the lints do not come from the workspace",
                "write `workspace = true` in [lints]",
            ));
        }
    }
    findings
}

/// Each dependency's version is stated once, in the root.
pub(crate) fn versions_from_workspace(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (member, manifest) in manifests(tree) {
        for name in stated_dependencies(&manifest) {
            findings.push(Finding::new(
                &member.manifest,
                line_of(tree, &member.manifest, &name),
                format!("the dependency `{name}` does not come from the workspace"),
                format!(
                    "state it in the root's [workspace.dependencies] and write `{name}.workspace = true`"
                ),
            ));
        }
    }
    findings
}

/// The line of a manifest that begins with `key`, or its first.
pub(crate) fn line_of(tree: &Tree, manifest: &str, key: &str) -> usize {
    let is_key = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '=', ']']))
    };
    let lines = tree.text(manifest).unwrap_or_default().lines();
    lines.zip(1..).find(|(line, _)| is_key(line)).map_or(1, |(_, number)| number)
}

/// The members' manifests that can be parsed; cargo itself complains of the others.
fn manifests(tree: &Tree) -> impl Iterator<Item = (&Member, Table)> {
    let members = tree.members.iter().filter(|member| member.manifest != ROOT);
    members.filter_map(|member| Some((member, tree.text(&member.manifest)?.parse().ok()?)))
}

fn stated_dependencies(manifest: &Table) -> Vec<String> {
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(platforms)
        .flat_map(|table| DEPENDENCY_TABLES.iter().filter_map(|name| table.get(*name)?.as_table()))
        .flatten()
        .filter(|(_, dependency)| !inherits(dependency))
        .map(|(name, _)| name.clone())
        .collect()
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::places;

    const GOOD: &str = "\
[package]
name = \"soticket-core\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true

[lints]
workspace = true

[dependencies]
serde.workspace = true
tokio = { workspace = true, features = [\"rt\"] }
";

    fn tree(path: &str, manifest: &str) -> Tree {
        Tree::of_files(&[(path, manifest)]).with_member("soticket-core", path, &[])
    }

    fn findings(manifest: &str) -> Vec<String> {
        let tree = tree("crates/core/Cargo.toml", manifest);
        let findings =
            [folder_is_name(&tree), inherit_from_workspace(&tree), versions_from_workspace(&tree)].concat();
        places(&findings)
    }

    #[test]
    fn a_manifest_that_inherits_everything_is_accepted() {
        assert_eq!(findings(GOOD), Vec::<String>::new());
    }

    #[test]
    fn a_stated_version_is_found() {
        let manifest = GOOD.replace("edition.workspace = true", "edition = \"2021\"");
        assert_eq!(
            findings(&manifest),
            ["crates/core/Cargo.toml:4: `edition` does not come from the workspace"]
        );
    }

    #[test]
    fn lints_of_its_own_are_found() {
        let manifest = GOOD.replace("[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"allow\"");
        assert_eq!(
            findings(&manifest),
            ["crates/core/Cargo.toml:8: the lints do not come from the workspace"]
        );
    }

    #[test]
    fn missing_lints_are_found() {
        let manifest = GOOD.replace("[lints]\nworkspace = true\n", "");
        assert_eq!(findings(&manifest).len(), 1);
    }

    #[test]
    fn stated_dependencies_are_found_in_every_table() {
        let more = "bytes = \"1\"\n[dev-dependencies]\ntempfile = { version = \"3\" }\n\
                    [target.'cfg(unix)'.dependencies]\nlibc = { path = \"../libc\" }\n";
        assert_eq!(
            findings(&format!("{GOOD}{more}")),
            [14, 16, 18]
                .iter()
                .zip(["bytes", "tempfile", "libc"])
                .map(|(line, name)| format!(
                    "crates/core/Cargo.toml:{line}: the dependency `{name}` does not come from the workspace"
                ))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_folder_with_another_name_is_found() {
        let found = folder_is_name(&tree("crates/kernel/Cargo.toml", GOOD));
        assert_eq!(
            places(&found),
            ["crates/kernel/Cargo.toml:2: the package `soticket-core` is in the folder `kernel`"]
        );
    }
}
