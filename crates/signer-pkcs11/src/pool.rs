//! Threads that sign: as many as are needed up to a limit, a bounded queue before them, and a deadline for each
//! request that holds even if the module never answers.

mod queue;
mod supervisor;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use soticket_core::Signature;
use tokio::sync::oneshot;

use crate::breaker::{Asker, Breaker};
use crate::device::Device;
use crate::fault::{Class, Fault};
use crate::mechanism::Payload;
use crate::module::check_process;
use crate::timing::now;
use queue::{Answer, Job, State};

/// How much a pool may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Threads with a session each.
    pub(crate) workers: usize,
    /// Requests that wait for a thread.
    pub(crate) queue: usize,
    /// Threads that may be stuck inside the module before nothing is tried any more.
    pub(crate) lost: usize,
    /// How long a request may take, waiting included.
    pub(crate) deadline: Duration,
}

/// What a pool is doing, for metrics and for the curious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Threads that have a session or are about to open one.
    pub workers: usize,
    /// Threads that did not come back from the module in time.
    pub lost: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// Whether the token is taken for able to sign.
    pub available: bool,
}

/// The threads of one signer. Dropping it ends them, waiting a little for calls that are under way.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

/// What the threads of a pool share.
struct Shared {
    device: Device,
    breaker: Breaker,
    limits: Limits,
    process: u32,
    state: Mutex<State>,
    /// Told when the supervisor has to look again.
    supervise: Condvar,
    /// Told when a thread has ended.
    ended: Condvar,
}

impl Pool {
    pub(crate) fn new(device: Device, limits: Limits) -> Self {
        let shared = Shared {
            device,
            breaker: Breaker::default(),
            limits,
            process: std::process::id(),
            state: Mutex::default(),
            supervise: Condvar::new(),
            ended: Condvar::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Signs on one of the threads; whoever stops waiting disturbs nobody.
    pub(crate) async fn sign(&self, payload: Payload) -> Result<Signature, Fault> {
        let answered = self.submit(payload)?.await;
        answered.unwrap_or_else(|_| {
            Err(Fault::new(Class::Bug, "a signing thread ended without an answer; report it"))
        })
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let available = !self.shared.breaker.is_open();
        let state = self.shared.state.lock();
        PoolStatus { workers: state.live(), lost: state.lost(), waiting: state.waiting(), available }
    }

    fn submit(&self, payload: Payload) -> Result<oneshot::Receiver<Result<Signature, Fault>>, Fault> {
        // Before any lock, which a thread that the fork left behind may hold.
        check_process(self.shared.process)?;
        self.shared.breaker.admit().map_err(|fault| fault.at(&self.shared.device.place))?;
        let (sender, receiver) = oneshot::channel();
        let until = now() + self.shared.limits.deadline;
        let job = Job { payload, until, answer: Answer::new(sender), asker: Asker::Caller };
        Shared::enqueue(&self.shared, job)?;
        Ok(receiver)
    }
}

impl Shared {
    fn enqueue(shared: &Arc<Self>, job: Job) -> Result<(), Fault> {
        let mut state = shared.state.lock();
        shared.check_room(&state)?;
        state.push(job);
        supervisor::ensure(shared, &mut state)?;
        worker::ensure(shared, &mut state)
    }

    fn check_room(&self, state: &State) -> Result<(), Fault> {
        if state.lost() >= self.limits.lost {
            let message = format!(
                "{} threads have not come back from the module, and no more are risked; see why the device hangs, and \
                 restart the process if it does not go on",
                state.lost()
            );
            return Err(Fault::new(Class::Terminal, message).at(&self.device.place));
        }
        if state.waiting() >= self.limits.queue {
            let message =
                format!("{} requests wait already; ask less often, or allow more sessions", state.waiting());
            return Err(Fault::new(Class::Device, message).at(&self.device.place));
        }
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if check_process(self.shared.process).is_err() {
            // What is behind it belongs to the parent's threads: leave all of it alone.
            std::mem::forget(Arc::clone(&self.shared));
            return;
        }
        let until = now() + SHUTDOWN_GRACE;
        let mut state = self.shared.state.lock();
        state.close();
        self.shared.supervise.notify_all();
        while !state.all_ended() {
            if self.shared.ended.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        let ended = state.take_ended();
        let nobody_is_inside = state.all_ended() && state.lost() == 0;
        drop(state);
        for thread in ended {
            // It has said that it ends, so this takes no time; what it panicked with was told already.
            let _ = thread.join();
        }
        if nobody_is_inside {
            self.shared.device.connection.close(until);
        } else {
            tracing::warn!(
                place = self.shared.device.place,
                "calls are still inside the module; it is not shut down"
            );
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

/// How long the end of a pool waits for calls that are under way.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Whether `instant` has come.
fn is_past(instant: Instant) -> bool {
    instant <= now()
}
