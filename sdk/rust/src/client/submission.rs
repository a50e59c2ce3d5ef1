//! What a caller says about a job.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use uuid::Uuid;

use crate::duration::duration_to_proto;
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::v1;

/// A job to be submitted. All but the definition may be left out.
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
    /// The input could not be written as JSON.
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

    /// The input, as JSON. If it can't be written as JSON the submission fails with [`Error::Encode`], and nothing is sent.
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

    /// A key of your business: a second submission with it is the same job. At most 256 characters. Default: none.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.change(|job| job.idempotency_key = key.into())
    }

    /// What happens when the idempotency key is in use. Default: `UseExisting`.
    pub fn idempotency_conflict_policy(self, policy: v1::IdempotencyConflictPolicy) -> Self {
        self.change(|job| job.idempotency_conflict_policy = policy.into())
    }

    /// A label for people and for filters. At most 64; keys to 63, values to 256 characters.
    pub fn label(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.change(|job| {
            job.labels.insert(key.into(), value.into());
        })
    }

    /// All labels, in the place of those given before.
    pub fn labels(self, labels: HashMap<String, String>) -> Self {
        self.change(|job| job.labels = labels)
    }

    /// From -100 to 100; higher runs sooner. Default: the definition's.
    pub fn priority(self, priority: i32) -> Self {
        self.change(|job| job.priority = Some(priority))
    }

    /// Not before this time. Takes the place of a delay.
    pub fn run_time(self, time: SystemTime) -> Self {
        self.change(|job| job.start = Some(v1::job_submission::Start::RunTime(time.into())))
    }

    /// Not before this long after acceptance. At most 10 years. Takes the place of a run time.
    pub fn delay(self, delay: Duration) -> Self {
        self.change(|job| job.start = Some(v1::job_submission::Start::Delay(duration_to_proto(delay))))
    }

    /// The job expires when it has not been started by then. Default: never.
    pub fn expire_time(self, time: SystemTime) -> Self {
        self.change(|job| job.expire_time = Some(time.into()))
    }

    /// The queue to wait in. Default: the definition's.
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

    /// Keeps the job to the worker of an earlier one. Default: any worker that meets its demands.
    pub fn sticky(self, sticky: v1::Sticky) -> Self {
        self.change(|job| job.sticky = Some(sticky))
    }

    /// Key among which the queue shares its workers fairly, such as a tenant. At most 256 characters. Default: what the
    /// definition gives.
    pub fn fairness_key(self, key: impl Into<String>) -> Self {
        self.change(|job| job.fairness_key = key.into())
    }

    /// One more thing that must come about before it may start. At most 100.
    pub fn dependency(self, dependency: v1::Dependency) -> Self {
        self.change(|job| job.dependencies.push(dependency))
    }

    /// W3C trace context that the job belongs to. Default: that of the span of the submission, if the program traces.
    pub fn traceparent(self, traceparent: impl Into<String>) -> Self {
        self.change(|job| job.traceparent = traceparent.into())
    }

    /// W3C trace state that goes with the trace context. At most 512 characters.
    pub fn tracestate(self, tracestate: impl Into<String>) -> Self {
        self.change(|job| job.tracestate = tracestate.into())
    }

    /// The job of an open batch, of which this one becomes a member. Not for jobs of `submit_many`.
    pub fn batch(mut self, batch_job_id: impl Into<String>) -> Self {
        self.batch_job_id = batch_job_id.into();
        self
    }

    /// UUID that makes repeats of this very submission harmless, over restarts of this process too. Default: a new one. Not for
    /// jobs of `submit_many`.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = request_id.into();
        self
    }

    /// The message that is sent.
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
            .idempotency_key("key")
            .message()
            .unwrap();
        assert_eq!(job.input.unwrap().data, &b"\"text\""[..]);
        assert_eq!(job.priority, Some(-3));
        assert_eq!(job.labels["a"], "b");
        let delay = prost_types::Duration { seconds: 1, nanos: 500_000_000 };
        assert_eq!(job.start, Some(v1::job_submission::Start::Delay(delay)));
        assert_eq!(job.run_timeout.unwrap().seconds, 2);
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
