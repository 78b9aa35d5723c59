//! Kryoptic, a software token that is not packaged: built here, from `tests/kryoptic-module`.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use crate::command::Invocation;

/// Tells the tests where the module is.
pub(super) const VARIABLE: &str = "SOTICKET_TEST_KRYOPTIC";

/// Outside of the workspace, so that its dependencies are not the product's.
const MANIFEST: &str = "tests/kryoptic-module/Cargo.toml";

/// The name of the library there.
const LIBRARY: &str = "kryoptic_pkcs11";

/// Builds the module; takes about a minute once, and nothing when it is fresh.
pub(crate) fn build(target_directory: &Utf8Path) -> Invocation {
    Invocation::cargo(["build", "--release", "--locked", "--manifest-path", MANIFEST, "--target-dir"])
        .with_args([folder(target_directory).into_string()])
}

/// The module once it is built.
pub(super) fn module(target_directory: &Utf8Path) -> Utf8PathBuf {
    folder(target_directory).join("release").join(format!("{DLL_PREFIX}{LIBRARY}{DLL_SUFFIX}"))
}

fn folder(target_directory: &Utf8Path) -> Utf8PathBuf {
    target_directory.join("kryoptic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_where_it_was_built() {
        let target_directory = Utf8Path::new("/w/target");
        let built_in = build(target_directory).to_string();
        assert!(built_in.ends_with(" --target-dir /w/target/kryoptic"), "{built_in}");
        let module = module(target_directory);
        assert!(module.starts_with("/w/target/kryoptic/release"), "{module}");
    }

    #[test]
    fn the_library_is_called_as_its_manifest_says() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/kryoptic-module/Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        assert!(manifest.contains(&format!("[lib]\nname = \"{LIBRARY}\"\n")), "{manifest}");
    }
}
