//! A file put in its place: for its owner only, whole or not at all, and over nothing that is to be kept.

use std::io::{self, Write as _};
use std::path::Path;

#[cfg(any(feature = "pem", feature = "pkcs11"))]
use crate::args::NewFileArgs;
use crate::failure::Failure;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Unless `--force` is said.
    #[cfg(any(feature = "pem", feature = "pkcs11"))]
    Kept,
    /// Whatever is said.
    #[cfg(any(feature = "file-store", feature = "redis"))]
    KeptForGood,
    #[cfg(any(feature = "pem", feature = "pkcs11"))]
    Replaced,
}

impl Existing {
    /// As `--force` says.
    #[cfg(any(feature = "pem", feature = "pkcs11"))]
    pub(crate) fn of(args: &NewFileArgs) -> Self {
        if args.force { Self::Replaced } else { Self::Kept }
    }

    /// What to do about a file that is in the way; nothing where none is.
    fn cure(self) -> Option<&'static str> {
        match self {
            #[cfg(any(feature = "pem", feature = "pkcs11"))]
            Self::Kept => Some("name another file, or replace it with --force"),
            #[cfg(any(feature = "file-store", feature = "redis"))]
            Self::KeptForGood => Some("name another file: what is encrypted under its key would be lost"),
            #[cfg(any(feature = "pem", feature = "pkcs11"))]
            Self::Replaced => None,
        }
    }
}

/// Finds a file that is in the way before anything is made.
#[cfg(any(feature = "pem", feature = "pkcs11"))]
pub(crate) fn check_free<'a>(
    files: impl IntoIterator<Item = &'a std::path::PathBuf>,
    existing: Existing,
) -> Result<(), Failure> {
    let Some(cure) = existing.cure() else { return Ok(()) };
    match files.into_iter().find(|path| path.exists()) {
        Some(path) => Err(exists(path, cure)),
        None => Ok(()),
    }
}

/// Writes beside `path` first, readable by the owner alone, and puts it in its place when it is on the disk.
pub(crate) fn persist(path: &Path, contents: &[u8], existing: Existing) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = |error: io::Error| {
        Failure::configuration(format!("`{}` cannot be written", path.display())).with_cause(error)
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    file.write_all(contents).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    let cure = existing.cure();
    let placed = if cure.is_some() { file.persist_noclobber(path) } else { file.persist(path) };
    match placed {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(exists(path, cure.unwrap_or("name another file")))
        }
        Err(error) => Err(cannot(error.error)),
    }
}

fn exists(path: &Path, cure: &str) -> Failure {
    Failure::configuration(format!("`{}` exists; {cure}", path.display()))
}
