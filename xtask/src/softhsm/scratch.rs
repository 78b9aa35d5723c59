//! A folder for the tokens of one run, which is gone when the run is, however it ends.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::{command::Invocation, error::Error};

/// Waits for the end of its input, which is the end of the process that holds the other end, and removes the folder.
/// What tests started may still write for a moment, hence the second try.
const GUARD: &str = r#"trap '' HUP INT QUIT TERM; cat; rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }"#;

/// The folder, and the shell that removes it.
///
/// This process is killed by Ctrl-C, as what it runs is, and cleans nothing up then; the shell outlives it.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
    guard: Option<Child>,
}

impl Scratch {
    /// A new folder, which no other user can enter.
    pub(super) fn new() -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("soticket-")
            .tempdir()
            .map_err(|cause| Error::NoScratch { parent: std::env::temp_dir(), cause })?;
        let scratch = Self { guard: guard(folder.path()), folder };
        scratch.configure_softhsm()?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes what is run put its temporary files here, and find no token of the user's.
    pub(super) fn around(&self, invocation: Invocation) -> Invocation {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        invocation
            .with_env("TMPDIR", text(self.path()))
            .with_env("SOFTHSM2_CONF", text(&self.path().join(SOFTHSM_CONFIGURATION)))
            // Kryoptic takes a configuration that is not there for one without tokens.
            .with_env("KRYOPTIC_CONF", text(&self.path().join("kryoptic.conf")))
    }

    fn configure_softhsm(&self) -> Result<(), Error> {
        let tokens = self.path().join("tokens");
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            tokens.display()
        );
        fs::create_dir(&tokens)
            .and_then(|()| fs::write(self.path().join(SOFTHSM_CONFIGURATION), configuration))
            .map_err(|cause| Error::NoScratch { parent: self.path().to_owned(), cause })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            // When it fails, the folder removes itself as well as it can.
            let _ = guard.wait();
        }
    }
}

/// Nothing where there is no such shell: then only an orderly end removes the folder.
fn guard(folder: &Path) -> Option<Child> {
    let mut shell = Command::new("sh");
    shell.args(["-c", GUARD, "sh"]).arg(folder);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own: what the terminal or a CI service sends to this one does not reach it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    shell.spawn().ok()
}

const SOFTHSM_CONFIGURATION: &str = "softhsm2.conf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_gone_with_its_owner() {
        let scratch = Scratch::new().unwrap();
        let folder = scratch.path().to_owned();
        fs::create_dir_all(folder.join("tokens/of/tests")).unwrap();
        drop(scratch);
        assert!(!folder.exists());
    }

    #[test]
    fn the_folder_is_gone_when_its_owner_could_not_remove_it() {
        let folder = tempfile::tempdir().unwrap().keep();
        fs::write(folder.join("token"), "").unwrap();
        let mut guard = guard(&folder).unwrap();
        drop(guard.stdin.take());
        assert!(guard.wait().unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn two_runs_share_nothing() {
        let (one, other) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(one.path(), other.path());
        let path = one.path().display();
        assert_eq!(
            one.around(Invocation::cargo(["test"])).to_string(),
            format!(
                "TMPDIR={path} SOFTHSM2_CONF={path}/softhsm2.conf KRYOPTIC_CONF={path}/kryoptic.conf cargo test"
            )
        );
        let configuration = fs::read_to_string(one.path().join("softhsm2.conf")).unwrap();
        assert!(
            configuration.contains(&format!("directories.tokendir = {path}/tokens\n")),
            "{configuration}"
        );
        assert!(one.path().join("tokens").is_dir());
    }
}
