//! A folder for what one run makes, which is gone when the run is, however it ends.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::error::Error;

/// Waits for the end of its input, which is the end of the process that holds the other end, and removes the folder.
/// What tests started may still write for a moment, hence the second try.
const GUARD: &str = r#"trap '' HUP INT QUIT TERM; cat; rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }"#;

/// The folder, and the shell that removes it.
///
/// This process is killed by Ctrl-C, as what it runs is, and cleans nothing up then; the shell outlives it.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    guard: Option<Child>,
}

impl Scratch {
    /// A new folder, which no other user can enter.
    pub(crate) fn new() -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("soticket-")
            .tempdir()
            .map_err(|cause| Error::NoScratch { parent: std::env::temp_dir(), cause })?;
        Ok(Self { guard: guard(folder.path()), folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
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

#[cfg(test)]
mod tests {
    use std::fs;

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
}
