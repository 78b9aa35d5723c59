//! A file put in its place: for its owner only, whole or not at all, and over nothing that is to be kept.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::args::NewFileArgs;
use crate::failure::Failure;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Kept,
    Replaced,
}

impl Existing {
    /// As `--force` says.
    pub(super) fn of(args: &NewFileArgs) -> Self {
        if args.force { Self::Replaced } else { Self::Kept }
    }
}

/// Finds a file that is in the way before anything is made.
pub(super) fn check_free<'a>(
    files: impl IntoIterator<Item = &'a PathBuf>,
    existing: Existing,
) -> Result<(), Failure> {
    match files.into_iter().find(|path| existing == Existing::Kept && path.exists()) {
        Some(path) => Err(exists(path)),
        None => Ok(()),
    }
}

/// Writes beside `path` first, readable by the owner alone, and puts it in its place when it is on the disk.
pub(super) fn persist(path: &Path, contents: &[u8], existing: Existing) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = |error: io::Error| {
        Failure::configuration(format!("`{}` cannot be written", path.display())).with_cause(error)
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    file.write_all(contents).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    let placed = match existing {
        Existing::Replaced => file.persist(path),
        Existing::Kept => file.persist_noclobber(path),
    };
    match placed {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(cannot(error.error)),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::configuration(format!(
        "`{}` exists; name another file, or replace it with --force",
        path.display()
    ))
}
