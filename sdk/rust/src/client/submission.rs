//! The description of a job to submit.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use uuid::Uuid;

use crate::duration::duration_to_proto;
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::v1;

/// A job to submit. Only the definition is required.
///
/// ```
/// use std::time::Duration;
/// use muster::Submission;
///
/// let resize = Submission::new("resize")
///     .input(&serde_json::json!({ "width": 200 }))
///     .label("album", "summer")
///     .priority(5)
///     .delay(Duration::from_secs(60));
/// # assert!(resize.message().is_ok());
/// ```
#[derive(Debug)]
#[must_use = "a submission does nothing until a client submits it"]
pub struct Submission {
    job: v1::JobSubmission,
    /// Set when the input could not be written as JSON.
    broken: Option<Error>,
    pub(crate) request_id: String,
    pub(crate) batch_job_id: String,
}

impl Submission {
    /// A job of the newest version of a definition, without an input.
    pub fn new(definition: impl Into<String>) -> Self {
        Self {
            job: v1::JobSubmission { definition: definition.into(), ..Default::default() },
            broken: None,
            request_id: Uuid::new_v4().to_string(),
            batch_job_id: String::new(),
        }
    }

    /// The input, as JSON. If it can't be written as JSON, the submission fails with [`Error::Encode`], and nothing is
    /// sent.
    pub fn input<T: Serialize + ?Sized>(mut self, input: &T) -> Self {
        match Payload::json(input) {
            Ok(payload) => self.job.input = Some(payload),
            Err(error) => self.broken = Some(error),
        }
        self
    }

    /// The input, byte for byte.
    pub fn payload(self, input: Payload) -> Self {
        self.change(|job| job.input = Some(input))
    }

    /// Version of the definition. Default: the newest.
    pub fn definition_version(self, version: i32) -> Self {
        self.change(|job| job.definition_version = version)
    }

    /// A key chosen by the application: a second submission with the same key yields the same job. At most 256
    /// characters. Default: none.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.change(|job| job.idempotency_key = key.into())
    }

    /// What happens when the idempotency key is in use. Default: `UseExisting`.
    pub fn idempotency_conflict_policy(self, policy: v1::IdempotencyConflictPolicy) -> Self {
        self.change(|job| job.idempotency_conflict_policy = policy.into())
    }

    /// Adds a label for display and filters. At most 64; keys of at most 63, values of at most 256 characters.
    pub fn label(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.change(|job| {
            job.labels.insert(key.into(), value.into());
        })
    }

    /// All labels; replaces those set before.
    pub fn labels(self, labels: HashMap<String, String>) -> Self {
        self.change(|job| job.labels = labels)
    }

    /// From -100 to 100; jobs with a higher priority run sooner. Default: the definition's.
    pub fn priority(self, priority: i32) -> Self {
        self.change(|job| job.priority = Some(priority))
    }

    /// The job does not run before this time. Replaces a delay.
    pub fn run_time(self, time: SystemTime) -> Self {
        self.change(|job| job.start = Some(v1::job_submission::Start::RunTime(time.into())))
    }

    /// The job does not run before this delay after acceptance. At most 10 years. Replaces a run time.
    pub fn delay(self, delay: Duration) -> Self {
        self.change(|job| job.start = Some(v1::job_submission::Start::Delay(duration_to_proto(delay))))
    }

    /// The job expires if it has not started by this time. Default: never.
    pub fn expire_time(self, time: SystemTime) -> Self {
        self.change(|job| job.expire_time = Some(time.into()))
    }

    /// The job's queue. Default: the definition's.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        self.change(|job| job.queue = queue.into())
    }

    /// Replaces the definition's retry policy.
    pub fn retry_policy(self, policy: v1::RetryPolicy) -> Self {
        self.change(|job| job.retry_policy = Some(policy))
    }

    /// Replaces the definition's run timeout.
    pub fn run_timeout(self, timeout: Duration) -> Self {
        self.change(|job| job.run_timeout = Some(duration_to_proto(timeout)))
    }

    /// Replaces the definition's demands.
    pub fn demands(self, demands: v1::Demands) -> Self {
        self.change(|job| job.demands = Some(demands))
    }

    /// Binds the job to the worker of an earlier job. Default: any worker that meets its demands.
    pub fn sticky(self, sticky: v1::Sticky) -> Self {
        self.change(|job| job.sticky = Some(sticky))
    }

    /// The key by which the queue shares its workers fairly, such as a tenant. At most 256 characters. Default: that of
    /// the definition.
    pub fn fairness_key(self, key: impl Into<String>) -> Self {
        self.change(|job| job.fairness_key = key.into())
    }

    /// Sets by when the job should have ended. Default: as the definition says.
    pub fn soft_deadline(self, deadline: v1::SoftDeadline) -> Self {
        self.change(|job| job.soft_deadline = Some(deadline))
    }

    /// Adds a dependency that must be fulfilled before the job may start. At most 100.
    pub fn depends_on(self, dependency: v1::Dependency) -> Self {
        self.change(|job| job.depends_on.push(dependency))
    }

    /// W3C trace context of the job. Default: that of the submission's span, if the program traces.
    pub fn traceparent(self, traceparent: impl Into<String>) -> Self {
        self.change(|job| job.traceparent = traceparent.into())
    }

    /// W3C trace state that belongs to the trace context. At most 512 characters.
    pub fn tracestate(self, tracestate: impl Into<String>) -> Self {
        self.change(|job| job.tracestate = tracestate.into())
    }

    /// The job of an open batch of which this job becomes a member. Ignored by `submit_many`.
    pub fn batch(mut self, batch_job_id: impl Into<String>) -> Self {
        self.batch_job_id = batch_job_id.into();
        self
    }

    /// A UUID that makes repeats of this submission idempotent, also across restarts of this process. Default: a new
    /// one. Ignored by `submit_many`.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = request_id.into();
        self
    }

    /// The message to send.
    ///
    /// # Errors
    /// [`Error::Encode`]: the input can't be written as JSON.
    pub fn message(self) -> Result<v1::JobSubmission> {
        match self.broken {
            Some(error) => Err(error),
            None => Ok(self.job),
        }
    }

    fn change(mut self, change: impl FnOnce(&mut v1::JobSubmission)) -> Self {
        change(&mut self.job);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    #[test]
    fn options_are_in_the_message() {
        let job = Submission::new("resize")
            .input("text")
            .priority(-3)
            .label("a", "b")
            .run_time(SystemTime::UNIX_EPOCH)
            .delay(Duration::from_millis(1_500))
            .run_timeout(Duration::from_secs(2))
            .soft_deadline(v1::SoftDeadline { priority: Some(3), ..Default::default() })
            .idempotency_key("key")
            .message()
            .unwrap();
        assert_eq!(job.input.unwrap().data, &b"\"text\""[..]);
        assert_eq!(job.priority, Some(-3));
        assert_eq!(job.labels["a"], "b");
        let delay = prost_types::Duration { seconds: 1, nanos: 500_000_000 };
        assert_eq!(job.start, Some(v1::job_submission::Start::Delay(delay)));
        assert_eq!(job.run_timeout.unwrap().seconds, 2);
        assert_eq!(job.soft_deadline.unwrap().priority, Some(3));
        assert_eq!(job.idempotency_key, "key");
    }

    #[test]
    fn an_input_without_json_is_refused() {
        let keys_are_no_text = std::collections::BTreeMap::from([((1, 2), 3)]);
        let error = Submission::new("resize").input(&keys_are_no_text).message().unwrap_err();
        assert!(matches!(error, Error::Encode(_)), "{error}");
        assert_eq!(error.code(), None::<Code>);
    }
}
