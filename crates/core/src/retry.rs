//! When and how often a request is sent again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep, timeout_at};

use crate::error::{Error, ErrorKind};

/// How often, after which pauses and until when a request that failed on its way is sent again.
///
/// Sent again are connection failures and the statuses 429, 502, 503 and 504; never a refusal. The pauses
/// grow exponentially and are jittered; a `Retry-After` of the service replaces a shorter pause.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    max_attempts: usize,
    min_pause: Duration,
    max_pause: Duration,
    deadline: Duration,
}

impl RetryPolicy {
    /// How often a request is sent in all, unless set otherwise.
    pub const DEFAULT_MAX_ATTEMPTS: usize = 4;
    /// The first pause, before jitter, unless set otherwise.
    pub const DEFAULT_MIN_PAUSE: Duration = Duration::from_millis(250);
    /// The longest pause, before jitter, unless set otherwise.
    pub const DEFAULT_MAX_PAUSE: Duration = Duration::from_secs(5);
    /// The time for all attempts and pauses together, unless set otherwise.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(45);

    /// The defaults above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_attempts: Self::DEFAULT_MAX_ATTEMPTS,
            min_pause: Self::DEFAULT_MIN_PAUSE,
            max_pause: Self::DEFAULT_MAX_PAUSE,
            deadline: Self::DEFAULT_DEADLINE,
        }
    }

    /// Each request is sent once.
    #[must_use]
    pub fn never() -> Self {
        Self::new().with_max_attempts(1)
    }

    /// How often a request is sent in all; 0 counts as 1.
    #[must_use]
    pub fn with_max_attempts(mut self, attempts: usize) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The shortest and the longest pause between two attempts, before jitter.
    #[must_use]
    pub fn with_pauses(mut self, min: Duration, max: Duration) -> Self {
        self.min_pause = min;
        self.max_pause = max.max(min);
        self
    }

    /// The time for all attempts and pauses together.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs `attempt` until it succeeds, fails for good, or the attempts or the time are used up; then the
    /// last failure is returned.
    pub(crate) async fn run<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let deadline = Instant::now() + self.deadline;
        let mut pauses = self.pauses();
        let mut last = None;
        loop {
            let failure = match timeout_at(deadline, attempt()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(failure)) => failure,
                Err(_) => return Err(self.out_of_time(last)),
            };
            let Some(pause) = failure.pause(&mut pauses) else {
                return Err(failure.error);
            };
            if Instant::now() + pause >= deadline {
                return Err(self.out_of_time(Some(failure.error)));
            }
            tracing::debug!(error = %failure.error, ?pause, "trying again");
            last = Some(failure.error);
            sleep(pause).await;
        }
    }

    fn pauses(&self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.min_pause)
            .with_max_delay(self.max_pause)
            .with_max_times(self.max_attempts.saturating_sub(1))
            .build()
    }

    fn out_of_time(&self, last: Option<Error>) -> Error {
        let given_up = |cause: &str| {
            let deadline = self.deadline;
            format!("{cause} within {deadline:?}; check the network and SuperOffice's status page")
        };
        match last {
            Some(last) => Error::new(ErrorKind::Transport, given_up("no success")).with_source(last),
            None => Error::new(ErrorKind::Transport, given_up("no answer")),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// One attempt that failed, and how long the service asked to be left alone.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    retry_after: Option<Duration>,
}

impl Failure {
    /// A failure that came with the header `Retry-After`, if any.
    pub(crate) fn new(error: Error, retry_after: Option<Duration>) -> Self {
        Self { error, retry_after }
    }

    /// How long to wait for the next attempt; nothing when there shall be none.
    fn pause(&self, pauses: &mut impl Iterator<Item = Duration>) -> Option<Duration> {
        let pause = self.error.is_retryable().then(|| pauses.next()).flatten()?;
        Some(pause.max(self.retry_after.unwrap_or_default()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(retry_after: Option<Duration>) -> Failure {
        Failure::new(Error::new(ErrorKind::Transport, "down"), retry_after)
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_tried_again_until_the_attempts_are_used_up() {
        let mut attempts = 0;
        let result = RetryPolicy::new()
            .run(|| {
                attempts += 1;
                async { Err::<(), _>(transport(None)) }
            })
            .await;
        assert_eq!(result.unwrap_err().kind(), &ErrorKind::Transport);
        assert_eq!(attempts, RetryPolicy::DEFAULT_MAX_ATTEMPTS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_failure_is_not_tried_again() {
        let mut attempts = 0;
        let result = RetryPolicy::new()
            .run(|| {
                attempts += 1;
                async { Err::<(), _>(Error::new(ErrorKind::Protocol, "nonsense").into()) }
            })
            .await;
        assert_eq!(result.unwrap_err().kind(), &ErrorKind::Protocol);
        assert_eq!(attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_service_may_ask_for_a_longer_pause() {
        let start = Instant::now();
        let mut attempts = 0;
        let asked = Duration::from_secs(20);
        let result = RetryPolicy::new()
            .run(|| {
                attempts += 1;
                let outcome = if attempts == 1 { Err(transport(Some(asked))) } else { Ok(()) };
                async { outcome }
            })
            .await;
        assert!(result.is_ok());
        assert_eq!(start.elapsed(), asked);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_deadline_is_not_waited_for() {
        let start = Instant::now();
        let hour = Duration::from_secs(3600);
        let result = RetryPolicy::new().run(|| async { Err::<(), _>(transport(Some(hour))) }).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(std::error::Error::source(&result.unwrap_err()).is_some(), "the cause is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_an_attempt_that_hangs() {
        let start = Instant::now();
        let result = RetryPolicy::new().run(std::future::pending::<Result<(), Failure>>).await;
        assert!(result.unwrap_err().is_retryable());
        assert_eq!(start.elapsed(), RetryPolicy::DEFAULT_DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_jittered_and_never_shorter_than_stated() {
        let pauses: Vec<_> = RetryPolicy::new().pauses().collect();
        assert_eq!(pauses.len(), RetryPolicy::DEFAULT_MAX_ATTEMPTS - 1);
        assert!(pauses.iter().all(|pause| *pause >= RetryPolicy::DEFAULT_MIN_PAUSE));
        assert!(pauses.iter().all(|pause| *pause <= 2 * RetryPolicy::DEFAULT_MAX_PAUSE));
    }
}
