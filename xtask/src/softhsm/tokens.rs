//! Where a run's tests find PKCS#11 modules, and no token but those that they make.

use std::{fs, path::Path};

use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use super::kryoptic;
use crate::{command::Invocation, error::Error, scratch::Scratch};

/// The tokens of one run, which are gone when it is.
#[derive(Debug)]
pub(crate) struct Tokens {
    scratch: Scratch,
    kryoptic: Utf8PathBuf,
}

impl Tokens {
    pub(crate) fn new(target_directory: &Utf8Path) -> Result<Self, Error> {
        let scratch = Scratch::new()?;
        configure_softhsm(scratch.path())?;
        println!("tokens, until the tests end: {}", scratch.path().display());
        Ok(Self { scratch, kryoptic: kryoptic::module(target_directory) })
    }

    /// Makes what is run put its temporary files here, and find no token of the user's.
    pub(crate) fn around(&self, invocation: Invocation) -> Invocation {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let folder = self.scratch.path();
        invocation
            .with_env("TMPDIR", text(folder))
            .with_env("SOFTHSM2_CONF", text(&folder.join(SOFTHSM_CONFIGURATION)))
            // Kryoptic takes a configuration that is not there for one without tokens.
            .with_env("KRYOPTIC_CONF", text(&folder.join("kryoptic.conf")))
            .with_env(kryoptic::VARIABLE, self.kryoptic.as_str())
    }
}

fn configure_softhsm(folder: &Path) -> Result<(), Error> {
    let tokens = folder.join("tokens");
    let configuration = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        tokens.display()
    );
    fs::create_dir(&tokens)
        .and_then(|()| fs::write(folder.join(SOFTHSM_CONFIGURATION), configuration))
        .map_err(|cause| Error::NoScratch { parent: folder.to_owned(), cause })
}

const SOFTHSM_CONFIGURATION: &str = "softhsm2.conf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_share_nothing() {
        let tokens = || Tokens::new(Utf8Path::new("/w/target")).unwrap();
        let (one, other) = (tokens(), tokens());
        assert_ne!(one.scratch.path(), other.scratch.path());
        let path = one.scratch.path().display();
        let around = one.around(Invocation::cargo(["test"])).to_string();
        assert!(
            around.starts_with(&format!(
                "TMPDIR={path} SOFTHSM2_CONF={path}/softhsm2.conf KRYOPTIC_CONF={path}/kryoptic.conf "
            )),
            "{around}"
        );
        let configuration = fs::read_to_string(one.scratch.path().join("softhsm2.conf")).unwrap();
        assert!(
            configuration.contains(&format!("directories.tokendir = {path}/tokens\n")),
            "{configuration}"
        );
        assert!(one.scratch.path().join("tokens").is_dir());
    }
}
