//! The job that a handler works on.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::children::{Child, Children};
use super::core::Millis;
use super::core::limits::{DEFAULT_RUN_TIMEOUT, MAX_RUN_TIME};
use super::handler_error::HandlerError;
use super::log_line::log_line;
use super::progress::{self, ProgressCounts};
use super::stop::Stop;
use super::stop_reason::StopReason;
use super::word::{Outlet, Word};
use crate::duration::to_millis;
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::telemetry::trace_fields::TraceFields;
use crate::v1;
pub use crate::v1::LogLevel;
use crate::worker::v1 as protocol;

/// The job that a handler works on. Clones share the same context. After the handler has returned, updates are ignored.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

/// The parts of a context.
pub(crate) struct ContextParts {
    pub assignment: protocol::Assignment,
    pub job_id: Uuid,
    pub stop: Arc<Stop>,
    pub outlet: Arc<dyn Outlet>,
    /// Maximum size of a checkpoint in bytes.
    pub max_payload: usize,
    /// None without a control plane.
    pub children: Option<Children>,
    /// The trace context of the handler's span. None: the program does not trace.
    pub trace: Option<TraceFields>,
}

struct Inner {
    parts: ContextParts,
    extension: Mutex<Millis>,
    log_sequence: AtomicI64,
    /// The handler has returned.
    ended: AtomicBool,
}

impl Context {
    pub(crate) fn new(parts: ContextParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            extension: Mutex::new(0),
            log_sequence: AtomicI64::new(0),
            ended: AtomicBool::new(false),
        }))
    }

    /// UUID of the job.
    pub fn job_id(&self) -> Uuid {
        self.0.parts.job_id
    }

    /// Number of the attempt, from 1. It increases within a job, possibly with gaps.
    pub fn attempt(&self) -> i32 {
        self.assignment().attempt
    }

    /// Number of earlier attempts that counted towards the retry policy.
    pub fn attempt_count(&self) -> i32 {
        self.assignment().attempt_count
    }

    /// The job's namespace.
    pub fn namespace(&self) -> &str {
        &self.assignment().namespace
    }

    /// Name of the definition.
    pub fn definition(&self) -> &str {
        &self.assignment().definition
    }

    /// Version of the definition.
    pub fn definition_version(&self) -> i32 {
        self.assignment().definition_version
    }

    /// Maximum run time of the handler as its definition sets it, without extensions that the handler has requested.
    pub fn run_timeout(&self) -> Duration {
        Duration::from_millis(self.run_timeout_millis())
    }

    /// The same for every attempt of the job. Pass it to services that reject duplicates.
    pub fn idempotency_key(&self) -> String {
        self.job_id().to_string()
    }

    /// Higher for each later attempt of the job: a store that remembers the highest token can refuse writes with a
    /// lower one.
    pub fn fencing_token(&self) -> i32 {
        self.attempt()
    }

    /// The submitted input, byte for byte. None: there is none.
    pub fn input(&self) -> Option<&Payload> {
        self.assignment().input.as_ref()
    }

    /// Decodes the [`checkpoint`](Self::checkpoint) of an earlier attempt. None: there is none.
    ///
    /// # Errors
    /// [`Error::Decode`]: the checkpoint does not fit `T`.
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.last_checkpoint_payload().map(Payload::decode).transpose()
    }

    /// The checkpoint of an earlier attempt, byte for byte. None: there is none.
    pub fn last_checkpoint_payload(&self) -> Option<&Payload> {
        self.assignment().checkpoint.as_ref()
    }

    /// W3C trace context for calls of the handler: that of its span, or of the attempt if the program does not trace.
    /// Empty: none.
    pub fn traceparent(&self) -> &str {
        match &self.0.parts.trace {
            Some(fields) => &fields.traceparent,
            None => &self.assignment().traceparent,
        }
    }

    /// W3C trace state that belongs to the trace context.
    pub fn tracestate(&self) -> &str {
        match &self.0.parts.trace {
            Some(fields) => &fields.tracestate,
            None => &self.assignment().tracestate,
        }
    }

    /// Cancelled when the handler should stop. A handler that ignores it keeps its slot until it returns.
    pub fn cancellation(&self) -> &CancellationToken {
        self.0.parts.stop.token()
    }

    /// Why the handler should stop. None: it should not.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.0.parts.stop.reason()
    }

    /// Waits until the handler should stop.
    pub async fn stopped(&self) -> StopReason {
        self.cancellation().cancelled().await;
        self.stop_reason().unwrap_or(StopReason::Shutdown)
    }

    /// Waits for `work`, but drops it when the handler should stop.
    ///
    /// # Errors
    /// The handler was asked to stop. Pass the error on with `?`.
    pub async fn unless_stopped<F: Future>(&self, work: F) -> Result<F::Output, HandlerError> {
        tokio::select! {
            biased;
            reason = self.stopped() => Err(HandlerError::stopped(reason)),
            output = work => Ok(output),
        }
    }

    /// Reports the handler's progress. Sent within a second.
    ///
    /// `fraction` is limited to the range from 0 to 1. `message` is readable text, cut after 256 characters.
    pub fn progress(&self, fraction: f64, message: &str) {
        self.say(Word::Progress(progress::of_fraction(fraction, message)));
    }

    /// Reports the handler's progress as a count of units. Sent within a second.
    ///
    /// `message` is readable text, cut after 256 characters.
    pub fn progress_counts(&self, counts: ProgressCounts<'_>, message: &str) {
        self.say(Word::Progress(progress::of_counts(counts, message)));
    }

    /// Stores a value from which a later attempt may continue, as JSON. Sent within a second, and before the report if
    /// this attempt fails.
    ///
    /// # Errors
    /// [`Error::Encode`]: the value can't be written as JSON. [`Error::InvalidArgument`]: it is larger than the server
    /// accepts.
    pub fn checkpoint<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        self.checkpoint_payload(Payload::json(value)?)
    }

    /// Stores bytes from which a later attempt may continue, as [`checkpoint`](Self::checkpoint) does.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: they are larger than the server accepts.
    pub fn checkpoint_payload(&self, checkpoint: Payload) -> Result<()> {
        let (size, max) = (checkpoint.data.len(), self.0.parts.max_payload);
        if size > max {
            let message = format!("the checkpoint has {size} bytes; the maximum is {max}");
            return Err(Error::InvalidArgument(message));
        }
        self.say(Word::Checkpoint(checkpoint));
        Ok(())
    }

    /// Ends this run of the handler without counting it: pass the error on with `?`. Call it when the
    /// [`stop_reason`](Self::stop_reason) is [`StopReason::Suspended`]: the handler runs again from its start once the job
    /// is resumed, and continues from `checkpoint`. When nobody has asked, it runs again soon.
    ///
    /// ```
    /// use muster::worker::{Context, HandlerError};
    ///
    /// async fn import(ctx: Context, pages: u32) -> Result<u32, HandlerError> {
    ///     for page in ctx.last_checkpoint()?.unwrap_or(0)..pages {
    ///         if ctx.stop_reason().is_some() {
    ///             return Err(ctx.suspend(&page)?);
    ///         }
    ///     }
    ///     Ok(pages)
    /// }
    /// ```
    ///
    /// # Errors
    /// As for [`checkpoint`](Self::checkpoint).
    pub fn suspend<T: Serialize + ?Sized>(&self, checkpoint: &T) -> Result<HandlerError> {
        self.checkpoint(checkpoint)?;
        Ok(HandlerError::suspended(Vec::new()))
    }

    /// Requests more time than the run timeout, which still counts from the handler's start; several calls add up. Sent
    /// at once if a second could be too late. It changes neither the job's total timeout nor its progress timeout, and
    /// has no effect once the handler was stopped for its run timeout.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: less than a millisecond, or the handler could run for more than 30 days in total.
    pub fn extend_run_timeout(&self, more: Duration) -> Result<()> {
        let more = more.as_millis().min(u128::from(u32::MAX) * 10) as Millis;
        if more == 0 {
            return Err(Error::InvalidArgument("a run timeout is extended by a millisecond at least".into()));
        }
        let mut extension = self.0.extension.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = self.run_timeout_millis() + *extension + more;
        if longest > MAX_RUN_TIME {
            let message = format!("the handler could run for {longest} ms; the maximum is {MAX_RUN_TIME}");
            return Err(Error::InvalidArgument(message));
        }
        *extension += more;
        self.say(Word::Extension(*extension));
        Ok(())
    }

    /// Writes a record to the attempt's log, which `muster logs` shows soon after, and to `tracing`, with the job's id
    /// and the attempt. The newest 64 KiB of an attempt are kept, for as long as its job is kept; dropped records show
    /// as a gap.
    ///
    /// A message is cut after 8 KiB.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.log_with(level, message, std::iter::empty::<(String, Value)>());
    }

    /// Like [`log`](Self::log), with fields: text stays unchanged, other values become JSON. At most 32 fields, and at
    /// most 8 KiB together with the message; the rest is dropped.
    ///
    /// ```
    /// # fn example(ctx: &muster::worker::Context) {
    /// use muster::worker::LogLevel;
    /// ctx.log_with(LogLevel::Info, "reading", [("days", 7)]);
    /// # }
    /// ```
    pub fn log_with<K: Into<String>, V: Into<Value>>(
        &self,
        level: LogLevel,
        message: &str,
        fields: impl IntoIterator<Item = (K, V)>,
    ) {
        self.trace(level, message);
        let sequence = 1 + self.0.log_sequence.fetch_add(1, Ordering::Relaxed);
        let fields = fields.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.say(Word::Log(log_line(sequence, SystemTime::now(), level, message, fields)));
    }

    /// Stores a child of the job, and returns its id. When the handler runs again, the same call returns the child that
    /// was created before. Children are identified by their key, or by their sequence number if they have no key, so a
    /// handler must submit the same children in the same order each time it runs.
    ///
    /// # Errors
    /// [`Error::Call`]: FAILED_PRECONDITION (PARENT_ATTEMPT_CLOSED) when the worker no longer owns the attempt;
    /// ALREADY_EXISTS (IDEMPOTENCY_CONFLICT) when an earlier run submitted a different job as this child.
    pub async fn submit(&self, child: impl Into<Child>) -> Result<String> {
        let child = child.into();
        match &self.0.parts.children {
            Some(children) => children.submit(child).await,
            None => Err(Error::InvalidArgument(NO_CHILDREN.into())),
        }
    }

    /// Returns the results of children, in the given order, once all have ended. Until then it fails with an error that
    /// the handler must pass on with `?`: the job gives back its slot and permits, and the handler runs again from its
    /// start when the children have ended.
    ///
    /// ```
    /// use muster::Submission;
    /// use muster::worker::{Context, HandlerError};
    ///
    /// async fn count_library(ctx: Context, books: Vec<String>) -> Result<u64, HandlerError> {
    ///     let mut children = Vec::new();
    ///     for book in &books {
    ///         children.push(ctx.submit(Submission::new("count-pages").input(book)).await?);
    ///     }
    ///     let pages: Vec<u64> = ctx.wait(&children).await?;
    ///     Ok(pages.iter().sum())
    /// }
    /// ```
    ///
    /// # Errors
    /// Children are open ([`HandlerError::is_suspended`]), or one of them ended without a result.
    pub async fn wait<T: DeserializeOwned>(&self, child_ids: &[String]) -> Result<Vec<T>, HandlerError> {
        match &self.0.parts.children {
            Some(children) => children.wait(child_ids).await,
            None => Err(Error::InvalidArgument(NO_CHILDREN.into()).into()),
        }
    }

    /// Like [`wait`](Self::wait), but returns the ended jobs, with whatever result.
    ///
    /// # Errors
    /// Children are open.
    pub async fn ended(&self, child_ids: &[String]) -> Result<Vec<v1::Job>, HandlerError> {
        match &self.0.parts.children {
            Some(children) => children.ended(child_ids).await,
            None => Err(Error::InvalidArgument(NO_CHILDREN.into()).into()),
        }
    }

    /// Called when the handler has returned: later updates are ignored.
    pub(crate) fn end(&self) {
        self.0.ended.store(true, Ordering::Release);
    }

    fn say(&self, word: Word) {
        if !self.0.ended.load(Ordering::Acquire) {
            self.0.parts.outlet.say(word);
        }
    }

    fn trace(&self, level: LogLevel, message: &str) {
        let (job_id, attempt) = (self.job_id(), self.attempt());
        match level {
            LogLevel::Debug => tracing::debug!(target: "muster::handler", %job_id, attempt, "{message}"),
            LogLevel::Warn => tracing::warn!(target: "muster::handler", %job_id, attempt, "{message}"),
            LogLevel::Error => tracing::error!(target: "muster::handler", %job_id, attempt, "{message}"),
            _ => tracing::info!(target: "muster::handler", %job_id, attempt, "{message}"),
        }
    }

    fn assignment(&self) -> &protocol::Assignment {
        &self.0.parts.assignment
    }

    fn run_timeout_millis(&self) -> Millis {
        to_millis(self.assignment().run_timeout.as_ref(), DEFAULT_RUN_TIMEOUT)
    }
}

const NO_CHILDREN: &str = "this context has no control plane to submit children to";

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Context")
            .field("job_id", &self.job_id())
            .field("attempt", &self.attempt())
            .field("definition", &self.definition())
            .finish_non_exhaustive()
    }
}
