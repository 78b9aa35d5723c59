//! Where a key comes from, and how its file is read: once, capped, and into memory that is wiped.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{KeyError, KeyProblem};

/// The largest key file that is read, in bytes: room for a 4096-bit key, comments and a certificate chain.
pub const MAX_KEY_FILE_BYTES: usize = 128 * 1024;

/// A key file, or the same contents in memory.
#[derive(Clone)]
pub struct KeySource(Origin);

#[derive(Clone)]
enum Origin {
    File(PathBuf),
    Memory { label: String, contents: Zeroizing<Vec<u8>> },
}

impl KeySource {
    /// The file at `path`, which is read when a signer is built.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::File(path.into()))
    }

    /// Contents that the caller already has; `label` is shown in messages and must not be secret.
    ///
    /// The contents are wiped when the source is dropped.
    #[must_use]
    pub fn memory(label: impl Into<String>, contents: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self(Origin::Memory { label: label.into(), contents: contents.into() })
    }

    /// A short name for people: the file's name, or the label.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.0 {
            Origin::File(path) => path
                .file_name()
                .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
            Origin::Memory { label, .. } => label.clone(),
        }
    }

    /// Where the key lives: the path as it was given, or `memory`.
    #[must_use]
    pub fn location(&self) -> String {
        match &self.0 {
            Origin::File(path) => path.display().to_string(),
            Origin::Memory { .. } => "memory".to_owned(),
        }
    }

    pub(crate) fn read(&self) -> Result<Contents, KeyError> {
        match &self.0 {
            Origin::File(path) => read_file(path, MAX_KEY_FILE_BYTES),
            Origin::Memory { contents, .. } if contents.len() > MAX_KEY_FILE_BYTES => {
                Err(KeyProblem::TooBig.into())
            }
            Origin::Memory { contents, .. } => Ok(Contents { bytes: contents.clone(), warning: None }),
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::File(path) => write!(f, "key file `{}`", path.display()),
            Origin::Memory { label, .. } => write!(f, "key `{label}`"),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::File(path) => write!(f, "KeySource(file {})", path.display()),
            Origin::Memory { label, .. } => write!(f, "KeySource(memory {label}, [redacted])"),
        }
    }
}

impl From<PathBuf> for KeySource {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

/// What was in a file, and a word on who else can read it.
pub(crate) struct Contents {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) warning: Option<String>,
}

/// Reads a file of at most `limit` bytes; pipes and devices are read up to it as well.
pub(crate) fn read_file(path: &Path, limit: usize) -> Result<Contents, KeyError> {
    let mut file = File::open(path).map_err(|cause| open_error(path, cause))?;
    let metadata = file.metadata().map_err(|cause| KeyError::with_source(KeyProblem::Unreadable, cause))?;
    if metadata.is_dir() {
        return Err(KeyProblem::Directory.into());
    }
    let bytes = read_up_to(&mut file, buffer_size(&metadata, limit)?, limit)
        .map_err(|cause| KeyError::with_source(KeyProblem::Unreadable, cause))?;
    match bytes.len() {
        0 => Err(KeyProblem::Empty.into()),
        length if length > limit => Err(KeyProblem::TooBig.into()),
        _ => Ok(Contents { bytes, warning: permission_warning(path, &metadata) }),
    }
}

fn open_error(path: &Path, cause: io::Error) -> KeyError {
    let problem = match cause.kind() {
        ErrorKind::NotFound => KeyProblem::Missing,
        _ if path.is_dir() => KeyProblem::Directory,
        _ => KeyProblem::Unreadable,
    };
    KeyError::with_source(problem, cause)
}

/// One byte more than the file should have, so that its end is seen without growing the buffer: what a
/// growing buffer leaves behind is not wiped.
fn buffer_size(metadata: &Metadata, limit: usize) -> Result<usize, KeyError> {
    if !metadata.is_file() {
        return Ok(limit.saturating_add(1));
    }
    match usize::try_from(metadata.len()) {
        Ok(length) if length <= limit => Ok(length.saturating_add(1)),
        _ => Err(KeyProblem::TooBig.into()),
    }
}

fn read_up_to(file: &mut File, size: usize, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; size]);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    if filled == size && size <= limit {
        return Err(io::Error::other("the file grew while it was read"));
    }
    buffer.truncate(filled);
    Ok(buffer)
}

#[cfg(unix)]
fn permission_warning(path: &Path, metadata: &Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & PERMISSION_BITS;
    (metadata.is_file() && mode & READ_BY_OTHERS != 0).then(|| {
        let path = path.display();
        format!(
            "`{path}` can be read by other users of this machine (mode {mode:04o}); run `chmod 600 {path}`"
        )
    })
}

/// Elsewhere access is governed by lists that the standard library does not show.
#[cfg(not(unix))]
fn permission_warning(_: &Path, _: &Metadata) -> Option<String> {
    None
}

#[cfg(unix)]
const PERMISSION_BITS: u32 = 0o7777;
#[cfg(unix)]
const READ_BY_OTHERS: u32 = 0o044;
