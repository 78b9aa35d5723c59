//! A PKCS#11 module in this process: loaded once, initialised once, entered by many threads, and never shut
//! down or started anew while one of them is inside.

mod entered;
mod locate;
mod registry;

use std::collections::HashSet;
use std::ffi::CString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cryptoki::context::CInitializeFlags;
use cryptoki_sys as sys;
use parking_lot::{Mutex, RwLock};

use crate::fault::{Class, Fault};
use crate::library::Library;
use crate::rv::CallError;
use crate::timing::now;
use entered::Guard;
use registry::Place;

pub(crate) use entered::{Access, Entered, OpenSession};
pub(crate) use locate::locate;
pub(crate) use registry::{check_process, open};

/// Counts the initialisations of a module: a handle is good only in the epoch that gave it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

/// One module; every signer of this process that uses it shares it.
pub(crate) struct Module {
    path: PathBuf,
    loaded: Library,
    arguments: Option<CString>,
    process: u32,
    place: Arc<Place>,
    /// Changed only by who has the state alone; read by anyone, who may not be kept waiting by a call that hangs.
    epoch: AtomicU64,
    state: RwLock<State>,
    /// The handles of open sessions. Holding it is what makes opening, closing and logging in one at a time.
    sessions: Mutex<HashSet<sys::CK_SESSION_HANDLE>>,
    /// Sessions that could not be closed in time; who has the turn next closes them.
    unclosed: Mutex<Vec<OpenSession>>,
    /// When the module was last started anew.
    restarted: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct State {
    locking: Locking,
    status: Status,
}

/// Whether the module can be used by several threads at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locking {
    /// It locks by itself.
    Module,
    /// It cannot, or not safely: calls go in one at a time.
    Ours,
}

#[derive(Debug)]
enum Status {
    /// We initialised it, and shut it down.
    Ours,
    /// Somebody else in this process did, who also shuts it down.
    SomebodyElses,
    /// It could not be initialised again.
    Down(CallError),
}

impl Module {
    fn start(
        path: PathBuf,
        arguments: Option<CString>,
        process: u32,
        place: Arc<Place>,
    ) -> Result<Self, Fault> {
        let cannot_load = |call: CallError| {
            let cure = "see that the path is right, that the file is a PKCS#11 module for this machine's architecture, \
                        and that what it depends on is installed";
            Fault::configuration(format!("the module `{}` cannot be loaded; {cure}", path.display()))
                .with_call(call)
        };
        let loaded = Library::load(&path).map_err(cannot_load)?;
        let (locking, status) =
            initialize(&loaded, arguments.as_ref()).map_err(|call| not_started(&path, call))?;
        tracing::debug!(module = %path.display(), ?locking, "module initialised");
        let state = RwLock::new(State { locking, status });
        let (epoch, sessions, unclosed) = (AtomicU64::new(1), Mutex::default(), Mutex::default());
        let restarted = Mutex::default();
        Ok(Self { path, loaded, arguments, process, place, epoch, state, sessions, unclosed, restarted })
    }

    /// The canonical path of its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn arguments(&self) -> Option<&CString> {
        self.arguments.as_ref()
    }

    /// Enters the module, at the latest at `until`; while the guard lives, it is not shut down.
    pub(crate) fn enter(&self, until: Instant) -> Result<Entered<'_>, Fault> {
        check_process(self.process)?;
        let shared = self.state.try_read_until(until).ok_or_else(|| self.busy())?;
        let guard = match shared.locking {
            Locking::Module => Guard::Shared(shared),
            Locking::Ours => {
                drop(shared);
                Guard::Alone(self.state.try_write_until(until).ok_or_else(|| self.busy())?)
            }
        };
        match &guard.state().status {
            Status::Ours | Status::SomebodyElses => Ok(Entered { module: self, _guard: guard, until }),
            Status::Down(call) => Err(not_started(&self.path, call.clone())),
        }
    }

    /// The epoch that is now.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    pub(crate) fn locking(&self) -> Locking {
        self.state.read().locking
    }

    /// Shuts the module down and starts it anew, unless that happened since `seen`; at most once in `interval`.
    pub(crate) fn restart(&self, seen: Epoch, interval: Duration) -> Result<(), Fault> {
        check_process(self.process)?;
        let Some(mut restarted) = self.restarted.try_lock_for(QUIET_TIME) else {
            return Err(Fault::new(Class::Device, "the module is being started anew by another thread"));
        };
        {
            let state = self.state.try_read_for(QUIET_TIME).ok_or_else(|| self.busy())?;
            if self.epoch() != seen && !matches!(state.status, Status::Down(_)) {
                return Ok(());
            }
        }
        if let Some(last) = restarted.filter(|last| now() < *last + interval) {
            let left = (last + interval).saturating_duration_since(now()).as_secs() + 1;
            return Err(Fault::new(
                Class::Device,
                format!("the module may be started anew in {left} s at the earliest"),
            ));
        }
        let mut state = self.state.try_write_for(QUIET_TIME).ok_or_else(|| self.occupied())?;
        *restarted = Some(now());
        self.restart_alone(&mut state)
    }

    fn restart_alone(&self, state: &mut State) -> Result<(), Fault> {
        if matches!(state.status, Status::SomebodyElses) {
            return Err(Fault::new(
                Class::Terminal,
                format!(
                    "the module `{}` was initialised by another part of this process, so that soticket may not start \
                     it anew; restart the process",
                    self.path.display()
                ),
            ));
        }
        let shut_down = self.loaded.pkcs11.clone().finalize();
        self.sessions.lock().clear();
        let outcome = initialize(&self.loaded, self.arguments.as_ref());
        match outcome {
            Ok((locking, Status::Ours)) => {
                tracing::warn!(module = %self.path.display(), "module started anew");
                self.epoch.fetch_add(1, Ordering::AcqRel);
                *state = State { locking, status: Status::Ours };
                Ok(())
            }
            // It says that it is still initialised: then it was not shut down.
            Ok(_) => Err(Fault::new(
                Class::Terminal,
                format!(
                    "the module `{}` can be neither shut down nor started anew; restart the process",
                    self.path.display()
                ),
            )
            .with_call(shut_down.map_or_else(CallError::from, |()| {
                CallError::answered("C_Initialize", sys::CKR_CRYPTOKI_ALREADY_INITIALIZED)
            }))),
            Err(call) => {
                self.epoch.fetch_add(1, Ordering::AcqRel);
                state.status = Status::Down(call.clone());
                Err(Fault::of_call("the module cannot be started anew", call))
            }
        }
    }

    fn busy(&self) -> Fault {
        Fault::new(Class::Device, format!("the module `{}` was not free in time", self.path.display()))
    }

    fn occupied(&self) -> Fault {
        let message = "the module is not started anew, since calls are still inside it that do not come back";
        Fault::new(Class::Device, message)
    }
}

impl Drop for Module {
    /// Nobody is inside: whoever is holds the module alive.
    fn drop(&mut self) {
        if check_process(self.process).is_err() {
            return;
        }
        let ours = matches!(self.state.get_mut().status, Status::Ours);
        self.place.leave(|| {
            let outcome = if ours { self.loaded.pkcs11.clone().finalize() } else { Ok(()) };
            match outcome {
                Ok(()) => tracing::debug!(module = %self.path.display(), "module let go of"),
                Err(error) => {
                    let call = CallError::from(error);
                    tracing::warn!(module = %self.path.display(), "the module was not shut down in order: {call}");
                }
            }
        });
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("path", &self.path).finish_non_exhaustive()
    }
}

fn initialize(module: &Library, arguments: Option<&CString>) -> Result<(Locking, Status), CallError> {
    let with = |flags| module.initialize(flags, arguments);
    let (locking, outcome) = match with(CInitializeFlags::OS_LOCKING_OK) {
        Err(call) if call.is(sys::CKR_CANT_LOCK) => (Locking::Ours, with(CInitializeFlags::empty())),
        outcome => (Locking::Module, outcome),
    };
    // p11-kit's client: when its connection breaks, a thread that waits for its answer behind another's stays in it
    // for ever, and one connection serves all threads, so that several gain nothing.
    let locking = if module.is_direct() { locking } else { Locking::Ours };
    match outcome {
        Ok(()) => Ok((locking, Status::Ours)),
        Err(call) if call.is(sys::CKR_CRYPTOKI_ALREADY_INITIALIZED) => Ok((locking, Status::SomebodyElses)),
        Err(call) => Err(call),
    }
}

fn not_started(path: &Path, call: CallError) -> Fault {
    let hint = match path.file_name().map(|name| name.to_string_lossy().to_lowercase()) {
        Some(name) if name.contains("softhsm") => {
            "see that SOFTHSM2_CONF names a readable file, and that the token folder in it can be read"
        }
        Some(name) if name.contains("softokn") => {
            "NSS wants its database named: `x-initialize-arguments=configdir='sql:/path'…` in the URI"
        }
        _ => "see the module's own configuration, its permissions, and that its service runs",
    };
    let class = if call.code().is_some() { Class::Device } else { Class::Configuration };
    Fault::new(class, format!("the module `{}` does not start; {hint}", path.display())).with_call(call)
}

/// How long a restart waits for calls inside the module to come back.
const QUIET_TIME: Duration = Duration::from_secs(2);
