//! A file that is locked: the system unlocks it when the process ends, in whatever way.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use soticket_core::store::StoreError;

use super::folder::{Slot, private_file, unavailable, with_shelf};

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    /// Closing it unlocks it.
    _file: File,
}

impl Lock {
    /// Locks the file at `path`, in `slot`'s sub-folder, made if it is missing; `None` when somebody else has it locked.
    pub(crate) fn try_take_in(slot: &Slot, path: &Path) -> Result<Option<Self>, StoreError> {
        with_shelf(slot, || Self::try_take(path)).map_err(|cause| unavailable(path, "locked", cause))
    }

    pub(crate) fn try_take(path: &Path) -> io::Result<Option<Self>> {
        for _ in 0..ATTEMPTS {
            let file = private_file().read(true).write(true).create(true).truncate(false).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(cause)) => return Err(cause),
            }
            // Whoever had it before may have removed it after we opened it: then it is nobody's any more.
            if is_at(&file, path)? {
                return Ok(Some(Self { path: path.to_owned(), _file: file }));
            }
        }
        Ok(None)
    }

    /// Unlocks it, and takes the file away.
    pub(crate) fn remove(self) -> io::Result<()> {
        if cfg!(unix) {
            // While it is locked: afterwards it may be somebody else's.
            return match fs::remove_file(&self.path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
                _ => Ok(()),
            };
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// True when `file` is the one that others find at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(theirs) => Ok(ours.ino() == theirs.ino() && ours.dev() == theirs.dev()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// Elsewhere nobody removes them.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// How often a file is locked that turns out to be removed, before it counts as somebody else's.
const ATTEMPTS: usize = 16;
