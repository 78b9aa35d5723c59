//! The connection: made when it is needed, made anew when it is lost, and never waited for longer than a second.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, RedisError, ScriptInvocation, ServerErrorKind,
};
use soticket_core::store::{StoreError, StoreErrorKind};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::address::Address;

/// The way to one Redis.
#[derive(Debug)]
pub(crate) struct Link {
    client: Client,
    place: String,
    current: Mutex<Current>,
}

#[derive(Debug, Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// How many there have been.
    number: u64,
}

/// A connection to use, and how it came.
struct Loan {
    connection: MultiplexedConnection,
    number: u64,
    is_new: bool,
}

enum Failure {
    /// Before the connection could be used.
    Connecting(RedisError),
    Calling(RedisError),
}

impl Link {
    pub(crate) fn new(address: Address) -> Self {
        Self { client: address.client, place: address.place, current: Mutex::default() }
    }

    /// Where it leads to, for people.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Runs a script, perhaps twice, when the connection turns out to be lost: it has to bear that.
    pub(crate) async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let mut used = None;
        if let Ok(done) = timeout(CALL_TIMEOUT, self.try_invoke(script, &mut used)).await {
            return done.map_err(|failure| self.error(failure));
        }
        // Its other end may be gone without a word, which the system might not notice for a quarter of an hour. Where
        // it cannot be locked, somebody is connecting anew already.
        if let (Some(number), Ok(mut current)) = (used, self.current.try_lock()) {
            current.forget(number);
        }
        let message = format!(
            "the Redis at `{}` did not answer within {CALL_TIMEOUT:?}; check that it runs and can be reached",
            self.place
        );
        Err(StoreError::new(StoreErrorKind::Unavailable, message))
    }

    async fn try_invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
        used: &mut Option<u64>,
    ) -> Result<T, Failure> {
        loop {
            let mut loan = self.connection().await.map_err(Failure::Connecting)?;
            *used = Some(loan.number);
            match script.invoke_async(&mut loan.connection).await {
                Err(cause) if is_lost(&cause) => {
                    self.current.lock().await.forget(loan.number);
                    if loan.is_new {
                        return Err(Failure::Calling(cause));
                    }
                }
                done => return done.map_err(Failure::Calling),
            }
        }
    }

    async fn connection(&self) -> Result<Loan, RedisError> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok(Loan { connection: connection.clone(), number: current.number, is_new: false });
        }
        // Both are limited by the whole call's time.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        current.number += 1;
        current.connection = Some(connection.clone());
        Ok(Loan { connection, number: current.number, is_new: true })
    }

    fn error(&self, failure: Failure) -> StoreError {
        let place = &self.place;
        let (Failure::Connecting(cause) | Failure::Calling(cause)) = &failure;
        if is_refusal(cause) {
            let code = cause.code().unwrap_or("authentication failed");
            let message = format!(
                "the Redis at `{place}` refuses us ({code}); check the user and the password in its URL, and what \
                 the user may do"
            );
            return StoreError::new(StoreErrorKind::Configuration, message);
        }
        match failure {
            // What a Redis says to a greeting that it does not understand may repeat the password in it.
            Failure::Connecting(cause) if !cause.is_io_error() => {
                let message = format!(
                    "the Redis at `{place}` does not let us in ({}); check the database in its URL, whether its user \
                     may select it, and how many clients it takes",
                    cause.code().unwrap_or(cause.category())
                );
                StoreError::new(StoreErrorKind::Unavailable, message)
            }
            Failure::Connecting(cause) => {
                let message = format!(
                    "the Redis at `{place}` cannot be connected to; check that it runs and can be reached"
                );
                StoreError::new(StoreErrorKind::Unavailable, message).with_source(cause)
            }
            Failure::Calling(cause) => {
                let message = format!("the Redis at `{place}` failed in its part; see what it says");
                StoreError::new(StoreErrorKind::Unavailable, message).with_source(cause)
            }
        }
    }
}

impl Current {
    /// Drops the connection of this number, if it is still the current one.
    fn forget(&mut self, number: u64) {
        if self.number == number {
            self.connection = None;
        }
    }
}

/// True when nothing more will come of this connection: it is broken, or to a Redis that is no longer the one to write to.
fn is_lost(cause: &RedisError) -> bool {
    cause.is_io_error()
        || cause.is_unrecoverable_error()
        || cause.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

fn is_refusal(cause: &RedisError) -> bool {
    cause.kind() == ErrorKind::AuthenticationFailed
        || matches!(cause.code(), Some("NOAUTH" | "NOPERM" | "WRONGPASS"))
}

/// How long a call may take, a new connection included.
const CALL_TIMEOUT: Duration = Duration::from_secs(1);
