//! Interruptions from outside: Ctrl-C, and a service manager's request to end.

use crate::failure::{Exit, Failure};

/// An interrupt of the terminal, or a request to terminate.
#[cfg(unix)]
pub(crate) struct Interruption(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

/// Does `work`, unless the program is interrupted before it is done: then it is dropped, which closes what it uses, a
/// token's sessions and module among it.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let mut interruption = Interruption::listen()?;
    tokio::select! {
        done = work => Ok(done),
        () = interruption.wait() => Err(interrupted()),
    }
}

/// How a program ends that was interrupted.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Exit::Unexpected, "interrupted")
}

#[cfg(unix)]
impl Interruption {
    /// From now on, a signal no longer ends the program by itself.
    pub(crate) fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let cannot = |error: std::io::Error| {
            Failure::new(Exit::Unexpected, "signals cannot be listened for").with_cause(error)
        };
        Ok(Self(
            signal(SignalKind::interrupt()).map_err(cannot)?,
            signal(SignalKind::terminate()).map_err(cannot)?,
        ))
    }

    /// Waits for the next one.
    pub(crate) async fn wait(&mut self) {
        let Self(interrupt, terminate) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Interruption;

#[cfg(not(unix))]
impl Interruption {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(crate) async fn wait(&mut self) {
        // Without a way to be interrupted it runs until it is ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
