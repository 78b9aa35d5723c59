//! The terminal that results, errors, warnings and a progress bar share.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar that is shown, of which there is one as there is one terminal.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How the bar looks: how many of how many, for how long, and for how long still.
const TEMPLATE: &str = "{bar:30} {pos} of {len} tenants{msg}, {elapsed} gone, {eta} to go";

/// A bar on standard error, if that is a terminal, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn of(steps: usize) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        // Drawn at once: the first step may take its time.
        bar.tick();
        *shown() = Some(bar.clone());
        Self(bar)
    }

    /// One more is done, of which `failed` were in vain.
    pub(crate) fn step(&self, failed: usize) {
        if failed > 0 {
            self.0.set_message(format!(" ({failed} failed)"));
        }
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *shown() = None;
        self.0.finish_and_clear();
    }
}

/// Lets `write` write where the bar stands, which is drawn anew below.
pub(crate) fn beside_progress<T>(write: impl FnOnce() -> T) -> T {
    match &*shown() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Writes to standard error; nothing is left to tell it to when that fails.
pub(crate) fn tell(text: &str) {
    beside_progress(|| {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    });
}

/// Standard error for who writes an event at a time.
#[derive(Debug)]
pub(crate) struct StandardError;

impl io::Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        beside_progress(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    BAR.lock().unwrap_or_else(PoisonError::into_inner)
}
