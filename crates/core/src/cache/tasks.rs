//! What a cache does in the background, which ends with it.

use tokio::runtime::Handle;
use tokio::sync::watch;

/// The tasks of one cache; dropping it stops them. Keeps nothing of those that have ended.
#[derive(Debug, Default)]
pub(crate) struct Tasks(watch::Sender<()>);

impl Tasks {
    /// Runs `task` on the runtime of the caller. Without one nothing is run: the task is dropped.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!("the ticket cache is used outside of a tokio runtime, and can do nothing there");
            return;
        };
        let mut cache = self.0.subscribe();
        runtime.spawn(async move {
            tokio::select! {
                biased;
                // Nothing is ever sent: it ends with the cache.
                _ = cache.changed() => {}
                () = task => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_task_runs_to_its_end_or_to_that_of_the_cache() {
        let tasks = Tasks::default();
        let (ended, stopped) = (Arc::new(()), Arc::new(()));
        let held = Arc::clone(&ended);
        tasks.spawn(async move { drop(held) });
        let held = Arc::clone(&stopped);
        tasks.spawn(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        tokio::task::yield_now().await;
        assert_eq!((Arc::strong_count(&ended), Arc::strong_count(&stopped)), (1, 2));
        drop(tasks);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&stopped), 1);
    }
}
