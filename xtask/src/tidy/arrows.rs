//! Which package of the workspace may depend on which: `core ← signer-*, store ← soticket ← cli`.

use cargo_metadata::DependencyKind;

use super::{finding::Finding, manifests, tree::Tree};

/// What a package is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Core,
    Signer(Keys),
    /// Where tickets are kept beyond a process.
    Store,
    /// The suite that every signer must pass.
    Conformance,
    /// Tokens for tests, and a module that fails as they ask.
    Testbed,
    Facade,
    Emulator,
    CommandLine,
    /// What crosses crates.
    Tests,
    Chores,
}

/// Where a signer's keys are, as far as its tests need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    InTokens,
    Elsewhere,
}

/// No dependency of a member on another member but those that the design draws, for tests no more than here.
pub(crate) fn only_drawn_ones(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &tree.members {
        let Some(from) = part(&member.name) else {
            findings.push(Finding::new(
                &member.manifest,
                1,
                format!("no arrows are drawn for the package `{}`", member.name),
                "say in xtask/src/tidy/arrows.rs what it is to the others",
            ));
            continue;
        };
        for (name, kind) in &member.dependencies {
            if let Some(to) = part(name).filter(|to| !may_depend(from, *to, *kind)) {
                let line = manifests::line_of(tree, &member.manifest, name);
                let what = format!("`{}` depends on `{name}`", member.name);
                findings.push(Finding::new(&member.manifest, line, what, cure(from, to)));
            }
        }
    }
    findings
}

fn part(name: &str) -> Option<Part> {
    Some(match name {
        "soticket-core" => Part::Core,
        "soticket-signer-conformance" => Part::Conformance,
        "soticket-signer-pkcs11" => Part::Signer(Keys::InTokens),
        "soticket-pkcs11-testbed" => Part::Testbed,
        "soticket-store" => Part::Store,
        "soticket" => Part::Facade,
        "soticket-emulator" => Part::Emulator,
        "soticket-cli" => Part::CommandLine,
        "soticket-tests" => Part::Tests,
        "xtask" => Part::Chores,
        signer if signer.starts_with("soticket-signer-") => Part::Signer(Keys::Elsewhere),
        _ => return None,
    })
}

fn may_depend(from: Part, to: Part, kind: DependencyKind) -> bool {
    let in_tests = kind == DependencyKind::Development;
    match (from, to) {
        // Nothing is built on these, and these on nothing: the ones have to stay quick to compile, the others have
        // to make no mistake of core's.
        (_, Part::Chores | Part::CommandLine | Part::Tests) => false,
        (Part::Chores | Part::Emulator | Part::Testbed, _) => false,
        (Part::Tests, _) => true,
        (Part::CommandLine | Part::Signer(Keys::InTokens), Part::Testbed) => in_tests,
        (_, Part::Testbed) => false,
        (_, Part::Conformance) => in_tests && matches!(from, Part::Signer(_)),
        (Part::CommandLine, _) => true,
        // Whoever talks to the login service may talk to the one on loopback in its tests.
        (Part::Signer(_) | Part::Conformance | Part::Store, Part::Emulator) => false,
        (_, Part::Emulator) => in_tests,
        (Part::Conformance | Part::Signer(_) | Part::Store, to) => to == Part::Core,
        (Part::Facade, to) => matches!(to, Part::Core | Part::Signer(_) | Part::Store),
        (Part::Core, _) => false,
    }
}

fn cure(from: Part, to: Part) -> &'static str {
    match (from, to) {
        (Part::Emulator, _) => "the emulator knows no crate of the workspace, in its tests neither",
        (Part::Testbed, _) => "the testbed knows no crate of the workspace, in its tests neither",
        (Part::Core, Part::Signer(_)) => "core knows no signer",
        (Part::Core, Part::Store) => "core knows no store but the one in memory",
        (Part::Store, Part::Emulator) => "a store keeps what it is given; test the exchange in `tests`",
        (Part::Signer(_), Part::Signer(_)) => "no signer knows another; what they share belongs into core",
        (Part::Chores, _) => "the chores stay quick to compile; call the program instead",
        (Part::Signer(_) | Part::Conformance, Part::Emulator) => {
            "a signer signs; test the exchange in `tests`"
        }
        (_, Part::Emulator) => "the emulator is for tests: make it a dev-dependency",
        (_, Part::Conformance) => {
            "the conformance suite is for the tests of signers: make it their dev-dependency"
        }
        (_, Part::Testbed) => {
            "the testbed is for the tests of soticket-signer-pkcs11 and the command line: make it their dev-dependency"
        }
        _ => "arrows point one way: core ← signer-*, store ← soticket ← cli",
    }
}

#[cfg(test)]
mod tests {
    use DependencyKind::{Development, Normal};

    use super::*;

    /// True when the only dependency of `from` is accepted.
    fn accepted(from: &str, to: &str, kind: DependencyKind) -> bool {
        only_drawn_ones(&Tree::default().with_member(from, "x/Cargo.toml", &[(to, kind)])).is_empty()
    }

    #[test]
    fn the_drawn_arrows_are_accepted() {
        for (from, to) in [
            ("soticket-signer-pem", "soticket-core"),
            ("soticket-signer-conformance", "soticket-core"),
            ("soticket", "soticket-core"),
            ("soticket", "soticket-signer-pem"),
            ("soticket-store", "soticket-core"),
            ("soticket", "soticket-store"),
            ("soticket-tests", "soticket-store"),
            ("soticket-cli", "soticket"),
            ("soticket-cli", "soticket-emulator"),
            ("soticket-tests", "soticket-emulator"),
            ("soticket-tests", "soticket-signer-pem"),
            ("soticket-tests", "soticket-signer-conformance"),
            ("soticket-tests", "soticket-pkcs11-testbed"),
            ("soticket-signer-pkcs11", "soticket-core"),
            ("soticket", "soticket-signer-pkcs11"),
            ("soticket-pkcs11-testbed", "cryptoki-sys"),
            ("xtask", "toml"),
        ] {
            assert!(accepted(from, to, Normal), "{from} on {to}");
        }
        assert!(accepted("soticket-core", "soticket-emulator", Development));
        assert!(accepted("soticket-signer-pem", "soticket-signer-conformance", Development));
        assert!(accepted("soticket-signer-pkcs11", "soticket-signer-conformance", Development));
        assert!(accepted("soticket-signer-pkcs11", "soticket-pkcs11-testbed", Development));
        assert!(accepted("soticket-cli", "soticket-pkcs11-testbed", Development));
    }

    #[test]
    fn the_others_are_not_in_builds_nor_in_tests() {
        for (from, to) in [
            ("soticket-core", "soticket-signer-pem"),
            ("soticket-core", "soticket"),
            ("soticket-signer-pem", "soticket-signer-pkcs11"),
            ("soticket-signer-pem", "soticket"),
            ("soticket-signer-conformance", "soticket-signer-pem"),
            ("soticket-emulator", "soticket-core"),
            ("soticket-emulator", "soticket-signer-pem"),
            ("soticket-signer-pkcs11", "soticket-signer-pem"),
            ("soticket-signer-pkcs11", "soticket-emulator"),
            ("soticket-signer-pem", "soticket-pkcs11-testbed"),
            ("soticket-signer-conformance", "soticket-pkcs11-testbed"),
            ("soticket-core", "soticket-store"),
            ("soticket-store", "soticket-signer-pem"),
            ("soticket-store", "soticket-emulator"),
            ("soticket-store", "soticket"),
            ("soticket-signer-pem", "soticket-store"),
            ("soticket-emulator", "soticket-store"),
            ("soticket-pkcs11-testbed", "soticket-core"),
            ("soticket-pkcs11-testbed", "soticket-signer-pkcs11"),
            ("soticket-pkcs11-testbed", "soticket-emulator"),
            ("soticket-core", "soticket-pkcs11-testbed"),
            ("soticket", "soticket-pkcs11-testbed"),
            ("soticket-cli", "soticket-signer-conformance"),
            ("soticket", "soticket-cli"),
            ("soticket-tests", "soticket-cli"),
            ("soticket-cli", "xtask"),
            ("xtask", "soticket-core"),
        ] {
            assert!(!accepted(from, to, Normal), "{from} on {to}");
            assert!(!accepted(from, to, Development), "{from} on {to}, in tests");
        }
    }

    #[test]
    fn what_tests_are_made_of_is_for_tests() {
        assert!(!accepted("soticket", "soticket-emulator", Normal));
        assert!(!accepted("soticket-signer-pem", "soticket-signer-conformance", Normal));
        assert!(!accepted("soticket-signer-pkcs11", "soticket-pkcs11-testbed", Normal));
        assert!(!accepted("soticket-cli", "soticket-pkcs11-testbed", Normal));
    }

    #[test]
    fn a_package_that_nobody_drew_is_a_finding() {
        assert!(!accepted("soticket-new", "serde", Normal));
    }
}
