//! A signing thread: opens its own session when it first needs one, and keeps it until something fails.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::queue::{Job, Next, State, WorkerId};
use super::{SHUTDOWN_GRACE, Shared, is_past};
use crate::connection::KeySession;
use crate::fault::{Class, Fault};
use crate::timing::now;

/// Sees that somebody takes up what was queued: a thread that waits, or a new one if there may be more.
pub(super) fn ensure(shared: &Arc<Shared>, state: &mut State) -> Result<(), Fault> {
    if state.wake_one() || state.live() >= state.most(shared.limits.workers, now()) {
        return Ok(());
    }
    let id = state.new_worker();
    let own = Arc::clone(shared);
    match thread::Builder::new().name("soticket-pkcs11".to_owned()).spawn(move || run(&own, id)) {
        Ok(thread) => {
            state.started(id, thread);
            Ok(())
        }
        Err(cause) => {
            state.retire(id);
            // Those that there are will do, later.
            if state.live() > 0 {
                return Ok(());
            }
            Err(Fault::new(Class::Device, format!("no thread can be started: {cause}")))
        }
    }
}

fn run(shared: &Arc<Shared>, id: WorkerId) {
    let _retirement = Retirement { shared, id };
    let mut session = warmed_up(shared, id);
    let mut work = wait(shared, id);
    while let Some(job) = work {
        let outcome = shared.device.sign(&mut session, &job.payload, job.until);
        work = match settle(shared, id, *job, outcome) {
            Next::Sign(job) => Some(job),
            Next::Wait(_) => wait(shared, id),
            Next::End => None,
        };
    }
    end(shared, session);
}

/// The thread's session, opened before it takes a request up: while that takes its time, other threads do the work.
fn warmed_up(shared: &Arc<Shared>, id: WorkerId) -> Option<KeySession> {
    let (start, limit) = (now(), shared.limits.deadline);
    shared.state.lock().busy(id, start + limit);
    let mut session = None;
    // Half of it for locks, so that who waits for one is not taken for stuck in the module.
    shared.device.warm_up(&mut session, start + limit / 2);
    shared.state.lock().came_back(id);
    session
}

/// Leaves the books in order, also when the thread panics.
struct Retirement<'a> {
    shared: &'a Shared,
    id: WorkerId,
}

impl Drop for Retirement<'_> {
    fn drop(&mut self) {
        self.shared.state.lock().retire(self.id);
        self.shared.ended.notify_all();
    }
}

/// The next request, when there is one; none when the thread is to end.
fn wait(shared: &Shared, id: WorkerId) -> Option<Box<Job>> {
    let mut state = shared.state.lock();
    loop {
        match state.next(id) {
            Next::Sign(job) => return Some(job),
            Next::End => return None,
            Next::Wait(wake) => wake.wait(&mut state),
        }
    }
}

/// Takes note of the outcome, finds out what is next, and then answers: whoever is answered finds this thread at work
/// or waiting, and needs no other.
fn settle(
    shared: &Arc<Shared>,
    id: WorkerId,
    job: Job,
    outcome: Result<soticket_core::Signature, Fault>,
) -> Next {
    let (changes_plans, is_confirmed) = match &outcome {
        Ok(_) => (shared.breaker.succeeded(), false),
        Err(fault) if fault.class == Class::SessionLimit && !is_past(job.until) => {
            return without_session(shared, id, job);
        }
        Err(fault) => (true, shared.breaker.failed(fault, job.asker)),
    };
    let mut state = shared.state.lock();
    if changes_plans {
        // A probe is due, or none any more, which is when the supervisor looked to wake next. Under the lock: else it
        // could be missed by one that is about to wait.
        shared.supervise.notify_all();
    }
    if is_confirmed {
        turn_away(shared, &mut state);
    }
    if state.came_back(id) {
        let place = &shared.device.place;
        tracing::warn!(place, "a thread that was given up for lost came back from the module");
    }
    let is_surplus = state.live() > state.most(shared.limits.workers, now());
    let next = if is_surplus { Next::End } else { state.next(id) };
    drop(state);
    job.answer.give(outcome);
    next
}

/// Tells those that wait what those are told who ask now, instead of trying the device for each of them.
fn turn_away(shared: &Shared, state: &mut State) {
    let Err(fault) = shared.breaker.admit() else { return };
    let fault = fault.at(&shared.device.place);
    state.take_callers().into_iter().for_each(|job| job.answer.give(Err(fault.clone())));
}

/// The token has no session for this thread: the others do its work, or it tries again a little later.
fn without_session(shared: &Arc<Shared>, id: WorkerId, job: Job) -> Next {
    let mut state = shared.state.lock();
    state.came_back(id);
    state.push_front(job);
    if state.live() > 1 {
        tracing::warn!(place = shared.device.place, "the token has no further session; going on with fewer");
        state.shrink(now() + SHRINK_TIME);
        state.wake_one();
        return Next::End;
    }
    shared.ended.wait_for(&mut state, SESSION_PAUSE);
    state.next(id)
}

fn end(shared: &Shared, session: Option<KeySession>) {
    shared.device.close(session, now() + SHUTDOWN_GRACE);
}

/// How long fewer threads do, after the token refused a session to one.
const SHRINK_TIME: Duration = Duration::from_secs(60);
/// How long the only thread waits before it asks for a session again.
const SESSION_PAUSE: Duration = Duration::from_millis(50);
