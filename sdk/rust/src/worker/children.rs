//! Children of a job: its handler submits them, and waits for them without holding its slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::handler_error::HandlerError;
use crate::client::calls::{Calls, present};
use crate::client::client::add_trace;
use crate::client::job_wait::job_result;
use crate::client::submission::Submission;
use crate::error::Result;
use crate::job_state::is_terminal;
use crate::telemetry::submit_span::SubmitSpan;
use crate::transport::MAX_MESSAGE_BYTES;
use crate::v1;
use crate::v1::job_service_client::JobServiceClient;

/// How long a call is repeated, so that a restart of the control plane does not fail the handler.
const PATIENCE: Duration = Duration::from_secs(60);
/// Maximum number of children that one report can wait for.
const MAX_AWAITED: usize = 1_000;
/// Maximum number of children read concurrently.
const AT_ONCE: usize = 20;

/// The client for children, shared by all handlers of a worker.
pub(crate) fn patient(calls: Calls) -> Arc<Calls> {
    Arc::new(Calls { timeout: PATIENCE, retry: calls.retry.patient(), ..calls })
}

/// A child job to submit.
#[derive(Debug)]
#[must_use = "a child does nothing until a context submits it"]
pub struct Child {
    submission: Submission,
    key: Option<String>,
    detached: bool,
}

impl Child {
    /// A job to submit as a child. Its idempotency key, its batch and its request id are ignored.
    pub fn new(submission: Submission) -> Self {
        Self { submission, key: None, detached: false }
    }

    /// The key that identifies the child when the handler runs again. Default: its number in the order of submission.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Whether the child continues when its parent ends. Default: false; the child is cancelled then.
    pub fn detached(mut self, detached: bool) -> Self {
        self.detached = detached;
        self
    }
}

impl From<Submission> for Child {
    fn from(submission: Submission) -> Self {
        Self::new(submission)
    }
}

/// The children of one run of a handler.
#[derive(Debug)]
pub(crate) struct Children {
    calls: Arc<Calls>,
    job_id: Uuid,
    attempt: i32,
    session_id: Uuid,
    submitted: AtomicU64,
}

impl Children {
    /// `calls` must be made by `patient`.
    pub fn new(calls: Arc<Calls>, job_id: Uuid, attempt: i32, session_id: Uuid) -> Self {
        Self { calls, job_id, attempt, session_id, submitted: AtomicU64::new(0) }
    }

    /// Returns the child's id.
    pub async fn submit(&self, child: Child) -> Result<String> {
        let Child { submission, key, detached } = child;
        let key = key.unwrap_or_else(|| self.submitted.fetch_add(1, Ordering::Relaxed).to_string());
        let mut job = submission.message()?;
        job.idempotency_key = format!("child/{}/{key}", self.job_id);
        job.idempotency_conflict_policy = v1::IdempotencyConflictPolicy::UseExisting.into();
        let span = SubmitSpan::start(&self.calls.address, &self.calls.namespace, &[&job.definition]);
        let trace = span.fields.clone();
        let request = v1::SubmitJobRequest {
            namespace: self.calls.namespace.clone(),
            job: Some(job),
            parent: Some(v1::ParentAttempt {
                job_id: self.job_id.to_string(),
                attempt: self.attempt,
                session_id: self.session_id.to_string(),
                detached,
            }),
            ..Default::default()
        };
        let answer = self.calls.make(request, |mut request| {
            add_trace(&mut request, trace.as_ref());
            let mut jobs = self.jobs();
            async move { jobs.submit_job(request).await }
        });
        let answer = answer.await.map(|answer| vec![answer.into()]);
        span.end(&answer);
        Ok(present(answer?.pop(), "job")?.job_id)
    }

    /// The children once all have ended; until then the error that ends the handler's run.
    pub async fn ended(&self, child_ids: &[String]) -> Result<Vec<v1::Job>, HandlerError> {
        let asked: Vec<_> = child_ids.iter().map(|id| self.get(id)).collect();
        let jobs: Vec<v1::Job> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let open = jobs.iter().filter(|job| !is_terminal(job.state())).take(MAX_AWAITED);
        let open = open
            .map(|job| Ok(Bytes::copy_from_slice(Uuid::parse_str(&job.job_id)?.as_bytes())))
            .collect::<Result<Vec<_>, uuid::Error>>()?;
        if open.is_empty() { Ok(jobs) } else { Err(HandlerError::suspended(open)) }
    }

    pub async fn wait<T: DeserializeOwned>(&self, child_ids: &[String]) -> Result<Vec<T>, HandlerError> {
        let jobs = self.ended(child_ids).await?;
        Ok(jobs.into_iter().map(job_result).collect::<Result<Vec<T>>>()?)
    }

    async fn get(&self, job_id: &str) -> Result<v1::Job> {
        let request = v1::GetJobRequest { namespace: self.calls.namespace.clone(), job_id: job_id.to_owned() };
        let jobs = &self.jobs();
        let answer = self.calls.make(request, |request| async move { jobs.clone().get_job(request).await });
        present(answer.await?.job, "job")
    }

    fn jobs(&self) -> JobServiceClient<tonic::transport::Channel> {
        JobServiceClient::new(self.calls.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }
}
