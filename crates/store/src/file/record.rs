//! The file of a record: read with suspicion, and replaced as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::rand;
use soticket_core::store::{Fence, Record, Saved, StoreError, StoreErrorKind};

use super::folder::{Slot, TEMPORARY, is_symbolic_link, private_file, sync_folder, unavailable, with_shelf};
use crate::seal::{MAX_RECORD_SIZE, Sealer, unreadable};

/// The record in `slot`.
pub(crate) fn read(sealer: &Sealer, slot: &Slot) -> Result<Option<Record>, StoreError> {
    let Some(sealed) = read_file(&slot.record)? else { return Ok(None) };
    sealer.open(&slot.owner, &sealed).map(Some).map_err(|why| why.at(slot.record.display()))
}

/// The same, where what cannot be trusted is as good as nothing.
pub(crate) fn read_if_readable(sealer: &Sealer, slot: &Slot) -> Result<Option<Record>, StoreError> {
    match read(sealer, slot) {
        Err(error) if error.kind() == StoreErrorKind::Unreadable => Ok(None),
        read => read,
    }
}

/// Puts `temporary` in the place of what is in `slot`, unless that has a higher fence. Only under its lock.
pub(crate) fn replace(
    sealer: &Sealer,
    slot: &Slot,
    fence: Fence,
    temporary: &Temporary,
) -> Result<Saved, StoreError> {
    if read_if_readable(sealer, slot)?.is_some_and(|there| there.fence > fence) {
        return Ok(Saved::Outrun);
    }
    temporary.rename(&slot.record).map_err(|cause| unavailable(&slot.record, "written", cause))?;
    if let Err(error) = sync_folder(&slot.shelf) {
        // It is there for everybody, and only a power failure might bring the one before back.
        tracing::debug!(path = %slot.shelf.display(), %error, "the folder could not be synced");
    }
    Ok(Saved::Kept)
}

/// Removes the record in `slot` if it is one that `is_meant`, and says whether. Only under its lock.
pub(crate) fn remove_if(
    sealer: &Sealer,
    slot: &Slot,
    is_meant: impl Fn(&Record) -> bool,
) -> Result<bool, StoreError> {
    if !read_if_readable(sealer, slot)?.is_some_and(|there| is_meant(&there)) {
        return Ok(false);
    }
    match fs::remove_file(&slot.record) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(unavailable(&slot.record, "removed", cause))
        }
        _ => Ok(true),
    }
}

/// A record that nobody finds yet. Removed when it is dropped, unless it was renamed.
pub(crate) struct Temporary {
    path: PathBuf,
    renamed: AtomicBool,
}

impl Temporary {
    /// Writes and syncs `sealed` beside the record of `slot`.
    pub(crate) fn write(slot: &Slot, sealed: &[u8]) -> Result<Self, StoreError> {
        let failed = |cause| unavailable(&slot.record, "written", cause);
        let path = slot.record.with_extension(format!("{:016x}.{TEMPORARY}", random().map_err(failed)?));
        let create = || private_file().write(true).create_new(true).open(&path);
        let mut file = with_shelf(slot, create).map_err(failed)?;
        let temporary = Self { path: path.clone(), renamed: AtomicBool::new(false) };
        file.write_all(sealed).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(temporary)
    }

    fn rename(&self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.renamed.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !*self.renamed.get_mut() {
            // What stays is swept by a later process.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn random() -> io::Result<u64> {
    let mut bytes = [0; size_of::<u64>()];
    rand::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// All of a file that is no bigger than a record may be.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |cause| unavailable(path, "read", cause);
    let file = match private_file().read(true).open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) if is_symbolic_link(&cause) => {
            return Err(unreadable(path.display(), "it is a symbolic link, and none is followed"));
        }
        Err(cause) => return Err(failed(cause)),
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(unreadable(path.display(), "it is not a regular file"));
    }
    let sealed = read_up_to_limit(file).map_err(failed)?;
    if sealed.len() > MAX_RECORD_SIZE {
        let why = format!("it has more than the {MAX_RECORD_SIZE} bytes that a record has at most");
        return Err(unreadable(path.display(), why));
    }
    Ok(Some(sealed))
}

/// One byte more than is allowed, if there is one.
fn read_up_to_limit(file: File) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::new();
    let limit = u64::try_from(MAX_RECORD_SIZE).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut sealed)?;
    Ok(sealed)
}
