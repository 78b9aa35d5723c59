//! The thread that never enters the module: it keeps the deadlines of those that do, and has a broken device
//! probed.

use std::sync::Arc;
use std::thread;

use super::queue::{Answer, Job, State};
use super::{Shared, worker};
use crate::breaker::Asker;
use crate::fault::{Class, Fault};
use crate::mechanism::Payload;
use crate::timing::now;

/// Starts the supervisor with the first request, and tells it of one that it waits for.
pub(super) fn ensure(shared: &Arc<Shared>, state: &mut State) -> Result<(), Fault> {
    if state.has_supervisor() {
        if state.take_supervisors_wait() {
            shared.supervise.notify_all();
        }
        return Ok(());
    }
    let own = Arc::clone(shared);
    let thread =
        thread::Builder::new().name("soticket-pkcs11-supervisor".to_owned()).spawn(move || run(&own));
    let thread =
        thread.map_err(|cause| Fault::new(Class::Device, format!("no thread can be started: {cause}")))?;
    state.set_supervisor(thread);
    Ok(())
}

fn run(shared: &Arc<Shared>) {
    let mut state = shared.state.lock();
    while !state.is_closed() {
        keep_deadlines(shared, &mut state);
        probe(shared, &mut state);
        // Deadlines come in the order of requests, so that only the first one has to wake this thread.
        match state.next_deadline().into_iter().chain(shared.breaker.probe_at()).min() {
            Some(next) => {
                shared.supervise.wait_until(&mut state, next);
            }
            None => {
                state.supervisor_waits();
                shared.supervise.wait(&mut state);
            }
        }
    }
    state.supervisor_ends();
    shared.ended.notify_all();
}

fn keep_deadlines(shared: &Arc<Shared>, state: &mut State) {
    let limit = shared.limits.deadline;
    for job in state.overdue_jobs(now()) {
        let message =
            format!("no thread was free within {limit:?}; the device is slow, or more sessions are needed");
        job.answer.give(Err(Fault::new(Class::Device, message).at(&shared.device.place)));
        shared.breaker.unanswered(job.asker);
    }
    for (asker, answer) in state.overdue_workers(now()) {
        shared.breaker.unanswered(asker);
        tracing::error!(
            place = shared.device.place,
            "a thread has not come back from the module within {limit:?}"
        );
        let message = format!("the module did not answer within {limit:?}; see whether the device hangs");
        answer.give(Err(Fault::new(Class::Device, message).at(&shared.device.place)));
        replace_lost(shared, state);
    }
}

/// New work goes on with the others, and with one more in the place of the lost one.
fn replace_lost(shared: &Arc<Shared>, state: &mut State) {
    if state.waiting() > 0 && state.lost() < shared.limits.lost {
        // Without a thread, the requests that wait are answered at their deadlines.
        let _ = worker::ensure(shared, state);
    }
}

fn probe(shared: &Arc<Shared>, state: &mut State) {
    if state.lost() >= shared.limits.lost || !shared.breaker.take_probe() {
        return;
    }
    let payload = Payload::new(shared.device.settings.mechanism, PROBE);
    let until = now() + shared.limits.deadline;
    state.push(Job { payload, until, answer: Answer::to_nobody(), asker: Asker::Probe });
    let _ = worker::ensure(shared, state);
}

/// Holds a control character, so that it is never a system user token.
const PROBE: &[u8] = b"soticket device probe\0";
