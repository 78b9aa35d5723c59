//! What a cache does in the background, which ends with it.

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// The tasks of one cache; dropping it stops them.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Runs `task` on the runtime of the caller. Without one nothing is run: the task is dropped.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!("the ticket cache is used outside of a tokio runtime, and can do nothing there");
            return;
        };
        let mut tasks = self.0.lock();
        while let Some(ended) = tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::debug!(%error, "a task of the ticket cache did not come to its end");
            }
        }
        tasks.spawn_on(task, &runtime);
    }
}
