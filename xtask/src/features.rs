//! Which combinations of cargo features are checked: none, the default ones, and each by itself.

use cargo_metadata::{Metadata, Package};

use crate::command::Invocation;

/// One check of one package, for every package of the workspace that has features.
pub(crate) fn checks(workspace: &Metadata) -> Vec<(String, Invocation)> {
    let packages = workspace.packages.iter().filter(|package| !package.features.is_empty());
    packages.flat_map(of_package).collect()
}

fn of_package(package: &Package) -> Vec<(String, Invocation)> {
    let features: Vec<&str> = package.features.keys().map(String::as_str).collect();
    let combinations = combinations(&features).into_iter();
    combinations.map(|(label, args)| (format!("{}, {label}", package.name), check(package, &args))).collect()
}

/// Clippy and not `cargo check`, which knows no way to fail for a warning without building everything anew:
/// an import that only another feature uses is to be found too.
fn check(package: &Package, args: &[String]) -> Invocation {
    Invocation::cargo(["clippy", "--quiet", "--package", package.name.as_str()])
        .with_args(args.to_vec())
        .with_args(["--", "-D", "warnings"])
}

fn combinations(features: &[&str]) -> Vec<(String, Vec<String>)> {
    let none = "--no-default-features".to_owned();
    let mut all = vec![("no features".to_owned(), vec![none.clone()])];
    for feature in features {
        all.push(match *feature {
            "default" => ("default features".to_owned(), Vec::new()),
            alone => {
                (format!("feature {alone}"), vec![none.clone(), "--features".to_owned(), alone.to_owned()])
            }
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_default_and_each_feature_by_itself() {
        let args: Vec<String> = combinations(&["default", "full", "pem", "pkcs11"])
            .into_iter()
            .map(|(_, args)| args.join(" "))
            .collect();
        assert_eq!(
            args,
            [
                "--no-default-features",
                "",
                "--no-default-features --features full",
                "--no-default-features --features pem",
                "--no-default-features --features pkcs11",
            ]
        );
    }
}
