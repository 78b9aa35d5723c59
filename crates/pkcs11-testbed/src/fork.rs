//! A fork without exec, which no safe function offers, for the test of what it must not break.
#![allow(unsafe_code, reason = "forking a process with threads is what is to be tried")]

use std::time::{Duration, Instant};

/// Runs `child` in a forked copy of this process, and gives what it returns as its exit code.
///
/// # Panics
/// When the child does not end within 20 seconds; it is killed then.
pub fn fork(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child runs on the one thread that it has, and ends by `_exit`, which runs nothing of the parent's.
    match unsafe { libc::fork() } {
        0 => {
            let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(PANICKED);
            // SAFETY: ends the process.
            unsafe { libc::_exit(code) }
        }
        -1 => panic!("no process can be forked: {}", std::io::Error::last_os_error()),
        process => wait(process),
    }
}

#[expect(clippy::disallowed_methods, reason = "a process is waited for in real time")]
fn wait(process: libc::pid_t) -> i32 {
    let until = Instant::now() + LIMIT;
    let mut status = 0;
    loop {
        // SAFETY: the process is this one's own child.
        if unsafe { libc::waitpid(process, &mut status, libc::WNOHANG) } == process {
            assert!(libc::WIFEXITED(status), "the forked process was ended by a signal: {status}");
            return libc::WEXITSTATUS(status);
        }
        if Instant::now() > until {
            // SAFETY: as above.
            unsafe { libc::kill(process, libc::SIGKILL) };
            panic!("the forked process hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

const LIMIT: Duration = Duration::from_secs(20);
const PANICKED: i32 = 101;
