//! Which modules are in use: one context a file and process, however many signers share it.

use std::collections::HashMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::{Condvar, Mutex};

use super::Module;
use crate::fault::{Class, Fault};

/// The module at `path`, which is loaded and initialised unless a signer of this process has done so.
pub(crate) fn open(path: &Path, arguments: Option<&str>) -> Result<Arc<Module>, Fault> {
    let process = std::process::id();
    // Before any lock: after a fork, whoever holds it may be gone.
    match PROCESS.compare_exchange(0, process, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {}
        Err(first) => check_process(first)?,
    }
    let key = Key::of(path)?;
    let arguments = arguments.map(CString::new).transpose().map_err(|_| {
        Fault::configuration(
            "the initialisation arguments hold a NUL, which would end them early; take it out",
        )
    })?;
    // A module that hangs when it starts keeps those waiting who want the same one, and nobody else.
    let place = Arc::clone(PLACES.lock().entry(key.clone()).or_default());
    let mut occupant = place.occupant.lock();
    loop {
        if let Some(module) = occupant.module.upgrade() {
            if module.arguments() == arguments.as_ref() {
                return Ok(module);
            }
            return Err(Fault::configuration(format!(
                "the module `{}` is in use with other initialisation arguments; a process can have it once",
                key.path.display()
            )));
        }
        if !occupant.is_started {
            break;
        }
        // Its last user is about to shut it down.
        place.left.wait(&mut occupant);
    }
    let module = Arc::new(Module::start(key.path, arguments, process, Arc::clone(&place))?);
    *occupant = Occupant { module: Arc::downgrade(&module), is_started: true };
    Ok(module)
}

/// Where the module of one file is, while somebody uses it.
#[derive(Debug, Default)]
pub(super) struct Place {
    occupant: Mutex<Occupant>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Occupant {
    module: Weak<Module>,
    is_started: bool,
}

impl Place {
    /// Shuts the module down by `finalize`, and makes room for its next start.
    pub(super) fn leave(&self, finalize: impl FnOnce()) {
        let mut occupant = self.occupant.lock();
        finalize();
        occupant.is_started = false;
        self.left.notify_all();
    }
}

/// Refuses to go on in a process that came from `process` by a fork: the module's threads, locks and
/// connections stayed behind in the parent.
pub(crate) fn check_process(process: u32) -> Result<(), Fault> {
    if std::process::id() == process {
        return Ok(());
    }
    Err(Fault::new(
        Class::Configuration,
        "this process was forked from one that uses the PKCS#11 module, which does not survive that; open the \
         signer after forking, or start another program (exec)",
    ))
}

/// What makes two paths the same module: the file, wherever links lead to it from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    path: PathBuf,
    file: Option<(u64, u64)>,
}

impl Key {
    fn of(path: &Path) -> Result<Self, Fault> {
        let canonical = path.canonicalize().and_then(|path| path.metadata().map(|metadata| (path, metadata)));
        let (path, metadata) = canonical.map_err(|cause| {
            Fault::configuration(format!(
                "the module `{}` cannot be read ({cause}); install it, or correct `module-path`",
                path.display()
            ))
        })?;
        if metadata.is_dir() {
            return Err(Fault::configuration(format!(
                "`{}` is a folder; `module-path` names the module's file",
                path.display()
            )));
        }
        Ok(Self { path, file: device_and_inode(&metadata) })
    }
}

#[cfg(unix)]
fn device_and_inode(metadata: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

/// Elsewhere the canonical path has to do.
#[cfg(not(unix))]
fn device_and_inode(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// The process that opened the first module.
static PROCESS: AtomicU32 = AtomicU32::new(0);
static PLACES: LazyLock<Mutex<HashMap<Key, Arc<Place>>>> = LazyLock::new(Mutex::default);
