//! Work on a token that somebody waits for: on a thread of its own, and given up if the module hangs.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use soticket_core::SignerError;
use tokio::sync::oneshot;

use crate::fault::{Class, Fault};

/// Runs what may block where it blocks nobody, and answers after `limit` at the latest; the time that a person takes
/// to give a PIN does not count. What comes of the work later is dropped, and so closed.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, SignerError> + Send + 'static,
) -> Result<T, SignerError> {
    let (sender, receiver) = oneshot::channel();
    let answer = Arc::new(Mutex::new(Some(sender)));
    let asking = Arc::new(AtomicBool::new(false));
    // Dropped with the work's thread, also when that panics.
    let (done, ended) = mpsc::channel::<()>();
    spawn("soticket-pkcs11-open", {
        let (answer, asking) = (Arc::clone(&answer), Arc::clone(&asking));
        move || {
            let _done = done;
            ASKING.set(Some(asking));
            let outcome = work();
            if let Some(sender) = answer.lock().take() {
                // Whoever asked may have gone.
                let _ = sender.send(outcome);
            }
        }
    })?;
    spawn("soticket-pkcs11-watch", move || {
        if is_overdue(&ended, &asking, limit)
            && let Some(sender) = answer.lock().take()
        {
            let message = format!("the module did not answer within {limit:?}; see whether the device hangs");
            let _ = sender.send(Err(Fault::new(Class::Device, message).into()));
        }
    })?;
    let ended =
        |_| Fault::new(Class::Bug, "the thread that opens the token ended without an answer; report it");
    receiver.await.map_err(ended)?
}

/// Runs `ask`, which waits for a person.
pub(crate) fn while_a_person_answers<T>(ask: impl FnOnce() -> T) -> T {
    let set = |is| {
        ASKING.with_borrow(|asking| asking.iter().for_each(|asking| asking.store(is, Ordering::Relaxed)))
    };
    set(true);
    let answer = ask();
    set(false);
    answer
}

/// Waits for the end of the work, and tells whether it took longer than `limit`.
fn is_overdue(ended: &mpsc::Receiver<()>, asking: &AtomicBool, limit: Duration) -> bool {
    let mut waited = Duration::ZERO;
    while waited < limit {
        let step = TICK.min(limit - waited);
        match ended.recv_timeout(step) {
            Err(RecvTimeoutError::Timeout) if asking.load(Ordering::Relaxed) => {}
            Err(RecvTimeoutError::Timeout) => waited += step,
            _ => return false,
        }
    }
    true
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).map_err(|cause| Fault::new(Class::Device, format!("no thread can be started: {cause}")))
}

thread_local! {
    /// Whether this thread waits for a person, for the one that watches it.
    static ASKING: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// How finely a wait is counted.
const TICK: Duration = Duration::from_millis(100);
