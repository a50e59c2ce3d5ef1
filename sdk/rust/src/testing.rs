//! Runs handlers without a worker and without a control plane, for tests.
//!
//! Inputs and results are encoded and decoded as in production: as JSON, or as bytes.
//!
//! ```
//! use muster::testing::TestJob;
//! use muster::worker::Context;
//!
//! async fn double(ctx: Context, input: u32) -> Result<u32, muster::worker::HandlerError> {
//!     ctx.progress(0.5, "doubling");
//!     Ok(2 * input)
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let outcome = TestJob::new().input(&21).run(double).await;
//!     assert_eq!(outcome.result::<u32>(), Ok(42));
//!     assert_eq!(outcome.progress[0].message, "doubling");
//! }
//! ```

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::duration::duration_to_proto;
use crate::payload::Payload;
use crate::telemetry::handler_span::HandlerSpan;
use crate::v1;
use crate::worker::context::{Context, ContextParts};
use crate::worker::core::outcome::HandlerOutcome;
use crate::worker::handler::{BoxHandler, execute, raw, typed};
use crate::worker::stop::Stop;
use crate::worker::v1 as protocol;
use crate::worker::word::{Outlet, Word};
use crate::worker::{HandlerError, StopReason};

/// Default maximum size of a checkpoint.
const MAX_PAYLOAD: usize = 512 * 1024;

/// A job for a handler. Every setting is optional.
#[derive(Clone)]
#[must_use = "a job does nothing until a handler is run with it"]
pub struct TestJob {
    assignment: protocol::Assignment,
    max_payload: usize,
    stop: Arc<Stop>,
}

impl Default for TestJob {
    fn default() -> Self {
        Self::new()
    }
}

impl TestJob {
    /// The first attempt of a new job of the definition `test`, version 1, in the namespace `default`, without an
    /// input.
    pub fn new() -> Self {
        let assignment = protocol::Assignment {
            job_id: Uuid::new_v4().as_bytes().to_vec().into(),
            attempt: 1,
            namespace: "default".into(),
            definition: "test".into(),
            definition_version: 1,
            handler: "test".into(),
            ..Default::default()
        };
        Self { assignment, max_payload: MAX_PAYLOAD, stop: Arc::default() }
    }

    /// The input that a client would submit, as JSON.
    ///
    /// # Panics
    /// When it can't be written as JSON.
    pub fn input<T: Serialize + ?Sized>(self, input: &T) -> Self {
        self.payload(Payload::json(input).expect("the input has a JSON form"))
    }

    /// The input that a client would submit, byte for byte.
    pub fn payload(mut self, input: Payload) -> Self {
        self.assignment.input = Some(input);
        self
    }

    /// UUID of the job. Default: a new one.
    pub fn job_id(mut self, job_id: Uuid) -> Self {
        self.assignment.job_id = job_id.as_bytes().to_vec().into();
        self
    }

    /// Number of the attempt. Default: 1.
    pub fn attempt(mut self, attempt: i32) -> Self {
        self.assignment.attempt = attempt;
        self
    }

    /// Number of earlier attempts that counted. Default: 0.
    pub fn attempt_count(mut self, attempts: i32) -> Self {
        self.assignment.attempt_count = attempts;
        self
    }

    /// Name and version of the definition. Default: `test`, 1.
    pub fn definition(mut self, name: impl Into<String>, version: i32) -> Self {
        self.assignment.definition = name.into();
        self.assignment.definition_version = version;
        self
    }

    /// The handler's run timeout; it is not enforced here. Default: 1 h.
    pub fn run_timeout(mut self, timeout: Duration) -> Self {
        self.assignment.run_timeout = Some(duration_to_proto(timeout));
        self
    }

    /// The checkpoint of an earlier attempt, as JSON. Default: none.
    ///
    /// # Panics
    /// When it can't be written as JSON.
    pub fn last_checkpoint<T: Serialize + ?Sized>(mut self, checkpoint: &T) -> Self {
        self.assignment.checkpoint = Some(Payload::json(checkpoint).expect("the checkpoint has a JSON form"));
        self
    }

    /// W3C trace context of the attempt. Default: none.
    pub fn traceparent(mut self, traceparent: impl Into<String>) -> Self {
        self.assignment.traceparent = traceparent.into();
        self
    }

    /// Maximum size of a checkpoint in bytes. Default: 512 KiB.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Asks the handler to stop, as the worker would: before it runs, or while it runs from a clone of the job.
    pub fn stop(&self, reason: StopReason) {
        self.stop.stop(reason);
    }

    /// Runs a handler as [`WorkerBuilder::handle`](crate::worker::WorkerBuilder::handle) does.
    pub async fn run<In, Out, F, Fut>(self, handler: F) -> TestOutcome
    where
        F: Fn(Context, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Out, HandlerError>> + Send + 'static,
        In: DeserializeOwned + 'static,
        Out: Serialize + 'static,
    {
        self.run_boxed(typed(handler)).await
    }

    /// Runs a handler as [`WorkerBuilder::handle_payload`](crate::worker::WorkerBuilder::handle_payload) does.
    pub async fn run_payload<F, Fut>(self, handler: F) -> TestOutcome
    where
        F: Fn(Context, Payload) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Payload, HandlerError>> + Send + 'static,
    {
        self.run_boxed(raw(handler)).await
    }

    async fn run_boxed(self, handler: BoxHandler) -> TestOutcome {
        let job_id = Uuid::from_slice(&self.assignment.job_id).unwrap_or_default();
        let span = HandlerSpan::start(&self.assignment, &job_id);
        let recorder = Arc::new(Recorder::default());
        let context = Context::new(ContextParts {
            assignment: self.assignment,
            job_id,
            stop: self.stop,
            outlet: recorder.clone(),
            max_payload: self.max_payload,
            children: None,
            trace: span.fields().cloned(),
        });
        let outcome = execute(&handler, context, span).await;
        let words = std::mem::take(&mut *recorder.0.lock().unwrap_or_else(PoisonError::into_inner));
        TestOutcome::new(outcome, words)
    }
}

/// The result of a handler, with everything that it reported.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestOutcome {
    /// The returned value or the failure; a handler that has suspended its job has the failure `HandlerSuspended`.
    pub payload: Result<Payload, Box<v1::Failure>>,
    /// Whether the handler has suspended its job: nothing failed, and it would run again.
    pub is_suspended: bool,
    /// All progress reports, in order.
    pub progress: Vec<v1::Progress>,
    /// All checkpoints, in order.
    pub checkpoints: Vec<Payload>,
    /// All log records, in order.
    pub logs: Vec<v1::LogRecord>,
    /// The total time requested beyond the run timeout.
    pub extension: Duration,
}

impl TestOutcome {
    /// The decoded result or the failure.
    ///
    /// # Panics
    /// When the result does not fit `T`.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, Box<v1::Failure>> {
        let payload = self.payload.as_ref().map_err(Clone::clone)?;
        Ok(payload.decode().expect("the result has the shape that the test expects"))
    }

    /// The failure. None: the handler did not fail.
    pub fn failure(&self) -> Option<&v1::Failure> {
        self.payload.as_ref().err().map(AsRef::as_ref)
    }

    fn new(outcome: HandlerOutcome, words: Vec<Word>) -> Self {
        let is_suspended = matches!(outcome, HandlerOutcome::Suspended(_));
        let payload = match outcome {
            HandlerOutcome::Result(payload) => Ok(payload),
            HandlerOutcome::Failure(failure) => Err(Box::new(failure)),
            // A test has no children to wait for.
            HandlerOutcome::Suspended(_) => Err(Box::new(v1::Failure {
                r#type: "HandlerSuspended".into(),
                message: "the handler has suspended its job".into(),
                ..Default::default()
            })),
        };
        let mut said = Self {
            payload,
            is_suspended,
            progress: Vec::new(),
            checkpoints: Vec::new(),
            logs: Vec::new(),
            extension: Duration::ZERO,
        };
        for word in words {
            match word {
                Word::Progress(progress) => said.progress.push(progress),
                Word::Checkpoint(checkpoint) => said.checkpoints.push(checkpoint),
                Word::Extension(all) => said.extension = Duration::from_millis(all),
                Word::Log(line) => said.logs.push(line.record),
            }
        }
        said
    }
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Word>>);

impl Outlet for Recorder {
    fn say(&self, word: Word) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(word);
    }
}
