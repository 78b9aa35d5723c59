//! The folder: who may write in it, where a key's files are, and how they are opened.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use soticket_core::store::{StoreError, StoreErrorKind};
use soticket_core::{Clock, SystemClock};

use crate::seal::Owner;

/// The folder of a store.
pub(crate) struct Folder {
    path: PathBuf,
    /// The sub-folders whose left-over temporaries this process has looked for.
    swept: [AtomicBool; SHELVES],
}

/// The files of one key. Nothing need be there.
pub(crate) struct Slot {
    pub(crate) owner: Owner,
    /// The sub-folder that the others are in.
    pub(crate) shelf: PathBuf,
    pub(crate) record: PathBuf,
    /// Locked by whoever may exchange.
    pub(crate) lease: PathBuf,
    /// Locked for a moment by whoever changes a record; all records of the sub-folder share it.
    pub(crate) lock: PathBuf,
}

impl Folder {
    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let refused = |why: &str, cause: io::Error| {
            let message = format!("the ticket store's folder `{}` {why}", path.display());
            StoreError::new(StoreErrorKind::Configuration, message).with_source(cause)
        };
        create_private(&path).map_err(|cause| refused("cannot be made", cause))?;
        let metadata = fs::metadata(&path).map_err(|cause| refused("cannot be looked at", cause))?;
        refuse_shared(&path, &metadata)?;
        Ok(Self { path, swept: [const { AtomicBool::new(false) }; SHELVES] })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn slot(&self, owner: &Owner) -> Slot {
        let name: String = owner.iter().map(|byte| format!("{byte:02x}")).collect();
        let shelf = self.path.join(name.get(..SHELF_NAME_LENGTH).unwrap_or_default());
        Slot {
            owner: *owner,
            record: shelf.join(format!("{name}.{RECORD}")),
            lease: shelf.join(format!("{name}.{LEASE}")),
            lock: shelf.join(LOCK),
            shelf,
        }
    }

    /// All sub-folders that may be there.
    pub(crate) fn shelves(&self) -> impl Iterator<Item = PathBuf> {
        (0..SHELVES).map(|number| self.path.join(format!("{number:02x}")))
    }

    /// Removes left-over temporaries from `slot`'s sub-folder, the first time that it is asked to.
    pub(crate) fn sweep_once(&self, slot: &Slot) {
        let [number, ..] = slot.owner;
        if self.swept.get(usize::from(number)).is_some_and(|swept| !swept.swap(true, Ordering::Relaxed)) {
            sweep(&slot.shelf);
        }
    }
}

/// Removes the temporaries of `shelf` that are too old for their process to be at them still.
pub(crate) fn sweep(shelf: &Path) {
    let now = SystemClock.now();
    for path in files_in(shelf).unwrap_or_default() {
        if has_ending(&path, TEMPORARY) && is_old(&path, now) {
            match fs::remove_file(&path) {
                Ok(()) => tracing::debug!(path = %path.display(), "removed what an interrupted process left"),
                Err(error) => tracing::debug!(path = %path.display(), %error, "a left-over file stays"),
            }
        }
    }
}

/// The files in `shelf`; none when it is not there.
pub(crate) fn files_in(shelf: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(shelf) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

pub(crate) fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension == ending)
}

/// Does `work` on files of `slot`'s sub-folder, which is made when it is not there yet.
pub(crate) fn with_shelf<T>(slot: &Slot, work: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match work() {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            create_private(&slot.shelf)?;
            slot.shelf.parent().map_or(Ok(()), sync_folder)?;
            work()
        }
        done => done,
    }
}

/// Makes durable which files are in a folder.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Elsewhere a folder cannot be opened like a file.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// For files that belong to this process's user alone. A symbolic link is not followed, and a pipe not waited for.
#[cfg(unix)]
pub(crate) fn private_file() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = OpenOptions::new();
    options.mode(FILE_MODE).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

#[cfg(not(unix))]
pub(crate) fn private_file() -> OpenOptions {
    OpenOptions::new()
}

/// True for the error of opening a symbolic link.
#[cfg(unix)]
pub(crate) fn is_symbolic_link(cause: &io::Error) -> bool {
    cause.raw_os_error() == Some(libc::ELOOP)
}

#[cfg(not(unix))]
pub(crate) fn is_symbolic_link(_: &io::Error) -> bool {
    false
}

/// An error that whoever runs this machine must act on.
pub(crate) fn unavailable(path: &Path, what: &str, cause: io::Error) -> StoreError {
    let why = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room on its disk",
        io::ErrorKind::PermissionDenied => "; check the rights of this process's user there",
        io::ErrorKind::ReadOnlyFilesystem => "; its disk is read-only",
        _ => "",
    };
    let message = format!("the ticket store's file `{}` cannot be {what}{why}", path.display());
    StoreError::new(StoreErrorKind::Unavailable, message).with_source(cause)
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER_MODE);
    builder.create(path)
}

/// Whoever may write in the folder may take tickets away, and put old ones back.
#[cfg(unix)]
fn refuse_shared(path: &Path, metadata: &fs::Metadata) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & PERMISSION_BITS;
    if mode & WRITE_BY_OTHERS == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(StoreError::new(
        StoreErrorKind::Configuration,
        format!(
            "others may write in the ticket store's folder `{path}` (mode {mode:04o}); run `chmod go-w {path}`"
        ),
    ))
}

/// Elsewhere access is governed by lists that the standard library does not show.
#[cfg(not(unix))]
fn refuse_shared(_: &Path, _: &fs::Metadata) -> Result<(), StoreError> {
    Ok(())
}

fn is_old(path: &Path, now: Timestamp) -> bool {
    let changed = fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok();
    let changed = changed.and_then(|changed| Timestamp::try_from(changed).ok());
    changed.is_some_and(|changed| now.duration_since(changed).unsigned_abs() > TEMPORARY_AGE && changed < now)
}

/// A sub-folder for each first byte of a key.
const SHELVES: usize = 256;
/// In characters: those of a byte in hexadecimal.
const SHELF_NAME_LENGTH: usize = 2;

/// How files' names end.
pub(crate) const RECORD: &str = "ticket";
pub(crate) const LEASE: &str = "lease";
pub(crate) const TEMPORARY: &str = "tmp";
/// Its whole name.
const LOCK: &str = "lock";

/// How long a temporary is left alone: far longer than anybody writes at one.
const TEMPORARY_AGE: Duration = Duration::from_secs(600);

#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;
#[cfg(unix)]
const PERMISSION_BITS: u32 = 0o7777;
#[cfg(unix)]
const WRITE_BY_OTHERS: u32 = 0o022;
