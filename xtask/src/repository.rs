//! Where the repository is, and what cargo knows of it.

use std::{
    env,
    path::{Path, PathBuf},
};

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

use crate::error::Error;

/// The checkout that the chores work on.
#[derive(Debug)]
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The repository that cargo started this program from, wherever it was built.
    pub(crate) fn locate() -> Result<Self, Error> {
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).ok_or(Error::NoRepository)?;
        let root = package.parent().filter(|root| root.join("Cargo.lock").is_file());
        Ok(Self { root: root.ok_or(Error::NoRepository)?.to_owned() })
    }

    /// The folder that holds the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The workspace and every package that it depends on, all features on.
    pub(crate) fn metadata(&self) -> Result<Metadata, Error> {
        Ok(self.metadata_command().features(CargoOpt::AllFeatures).exec()?)
    }

    /// The workspace's own packages; needs no network.
    pub(crate) fn workspace(&self) -> Result<Metadata, Error> {
        Ok(self.metadata_command().no_deps().exec()?)
    }

    fn metadata_command(&self) -> MetadataCommand {
        let mut command = MetadataCommand::new();
        command.current_dir(&self.root);
        command
    }
}
