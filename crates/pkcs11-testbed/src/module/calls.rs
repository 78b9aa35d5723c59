//! What every call goes through: the log, and the rules.

use std::any::Any;
use std::fs::File;
use std::io::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cryptoki_sys::{CK_RV, CK_ULONG, CKR_OK};

use super::rules::{Effect, When, strike};

/// Calls the real function, unless a rule has it otherwise.
pub(super) fn call(function: &str, handle: CK_ULONG, real: impl FnOnce(Option<Effect>) -> CK_RV) -> CK_RV {
    log("enter", function, handle, CKR_OK);
    let code = ruled(function, real);
    log("leave", function, handle, code);
    code
}

/// As [`call`], without a word in the log.
pub(super) fn ruled(function: &str, real: impl FnOnce(Option<Effect>) -> CK_RV) -> CK_RV {
    let effect = strike(function);
    let Some(Effect { when, code, sleep }) = effect else { return real(None) };
    pause(sleep);
    match when {
        When::Before if code != CKR_OK => code,
        When::After => {
            let really = real(effect);
            if code == CKR_OK { really } else { code }
        }
        When::Before | When::WrongKey | When::SameHandle => real(effect),
    }
}

#[expect(clippy::disallowed_methods, reason = "a module that is slow blocks its thread")]
fn pause(time: std::time::Duration) {
    if !time.is_zero() {
        std::thread::sleep(time);
    }
}

/// The first argument, if it is a number.
pub(super) fn handle_of<T: Any>(argument: &T) -> CK_ULONG {
    (argument as &dyn Any).downcast_ref::<CK_ULONG>().copied().unwrap_or_default()
}

/// Counts the initialisations.
pub(super) static EPOCH: AtomicU64 = AtomicU64::new(0);

/// Writes one line, by one call of the system, so that the lines of threads do not mix.
pub(super) fn log(moment: &str, function: &str, handle: CK_ULONG, code: CK_RV) {
    let Some(mut file) = LOG.as_ref() else { return };
    let process = std::process::id();
    let micros = START.elapsed().as_micros();
    let thread = THREAD.with(|thread| *thread);
    let epoch = EPOCH.load(Ordering::SeqCst);
    let line = format!("{process} {micros} {thread} {moment} {function} {handle:x} {code:x} {epoch}\n");
    file.write_all(line.as_bytes()).unwrap();
}

static LOG: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = std::env::var_os("P11FAULT_LOG").filter(|path| !path.is_empty())?;
    Some(File::options().create(true).append(true).open(path).unwrap())
});

#[expect(clippy::disallowed_methods, reason = "the log tells real time")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static THREADS: AtomicU64 = AtomicU64::new(0);
thread_local! {
    static THREAD: u64 = THREADS.fetch_add(1, Ordering::SeqCst);
}
