//! The job whose handler is running the current code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use uuid::Uuid;

tokio::task_local! {
    static HANDLED: Arc<HandledJob>;
}

/// A job that is passed to a handler.
#[derive(Debug)]
pub(crate) struct HandledJob {
    job_id: Uuid,
    returned: AtomicBool,
}

impl HandledJob {
    pub fn new(job_id: Uuid) -> Arc<Self> {
        Arc::new(Self { job_id, returned: AtomicBool::new(false) })
    }

    /// Makes `work` part of the handler, in whatever task it runs.
    pub fn scope<F: Future>(self: &Arc<Self>, work: F) -> impl Future<Output = F::Output> + use<F> {
        HANDLED.scope(self.clone(), work)
    }

    /// Called when the handler has returned: work that continues is no longer part of it.
    pub fn end(&self) {
        self.returned.store(true, Ordering::Release);
    }

    pub fn has_returned(&self) -> bool {
        self.returned.load(Ordering::Acquire)
    }
}

/// UUID of the job. Empty outside of handlers, and for code that continues after the handler has returned.
pub(crate) fn handled_job_id() -> String {
    let handled = HANDLED.try_with(|job| (!job.has_returned()).then(|| job.job_id.to_string()));
    handled.ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_known_behind_what_is_awaited_and_in_no_other_task() {
        let job = HandledJob::new(Uuid::from_u128(7));
        let seen = job.scope(async {
            tokio::task::yield_now().await;
            (handled_job_id(), tokio::spawn(async { handled_job_id() }).await.unwrap())
        });
        assert_eq!(seen.await, (Uuid::from_u128(7).to_string(), String::new()));
        assert_eq!(handled_job_id(), "");
    }

    #[tokio::test]
    async fn one_handler_within_another_is_known_by_itself() {
        let (outer, inner) = (HandledJob::new(Uuid::from_u128(1)), HandledJob::new(Uuid::from_u128(2)));
        let seen = outer.scope(async { (inner.scope(async { handled_job_id() }).await, handled_job_id()) }).await;
        assert_eq!(seen, (Uuid::from_u128(2).to_string(), Uuid::from_u128(1).to_string()));
    }

    #[tokio::test]
    async fn it_is_not_known_once_the_handler_has_returned() {
        let job = HandledJob::new(Uuid::from_u128(7));
        let seen = job.scope(async {
            job.end();
            handled_job_id()
        });
        assert_eq!(seen.await, "");
    }
}
