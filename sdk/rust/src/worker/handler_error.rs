//! Errors of handlers, with which they also control retries.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::stop_reason::StopReason;
use crate::duration::duration_to_proto;
use crate::payload::Payload;
use crate::v1;

const MAX_TYPE: usize = 256;
const MAX_MESSAGE: usize = 8 * 1024;
const MAX_STACK: usize = 16 * 1024;
const MAX_CAUSES: usize = 16;

/// Why a handler failed. `?` converts any error: its type is the error's path, such as `std::io::error::Error`, its
/// causes are the sources, and with `RUST_BACKTRACE=1` its stack trace is that of the `?`.
///
/// ```
/// use std::time::Duration;
/// use muster::worker::HandlerError;
///
/// let declined = HandlerError::new("CardDeclined", "the bank says no").with_non_retryable(true);
/// let busy = HandlerError::new("Busy", "the shop is full").with_retry_delay(Duration::from_secs(60));
/// let parsed = "x".parse::<u8>().map_err(HandlerError::from);
/// # assert!(parsed.is_err() && declined.failure().unwrap().non_retryable && busy.failure().is_some());
/// ```
///
/// It does not implement [`std::error::Error`], because then not every error could be converted to it.
pub struct HandlerError(Box<Kind>);

enum Kind {
    Failed(v1::Failure),
    /// The handler has suspended its job, or waits for these children of it.
    Suspended(Vec<Bytes>),
}

impl HandlerError {
    /// A failure with a type of your choice, which retry rules can match.
    ///
    /// At most 256 characters of `kind` and 8 KiB of `message` are kept.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(failure(kind.into(), message.into()))
    }

    /// The environment of the handler has failed: no disk, no memory, a machine that shuts down. It does not count as
    /// an attempt unless a retry rule says otherwise. Its type is `InfrastructureError`.
    pub fn infrastructure(message: impl Into<String>) -> Self {
        let mut failure = failure("InfrastructureError".into(), message.into());
        failure.failure_cause = v1::FailureCause::Infrastructure.into();
        Self::of(failure)
    }

    /// The handler ended because it was asked to stop.
    pub fn stopped(reason: StopReason) -> Self {
        Self::new("HandlerStopped", format!("the handler was asked to stop: {reason}"))
    }

    /// For errors of erased type, such as those of `anyhow`. The failure's type is `Error`.
    pub fn boxed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let error = error.into();
        Self::of(describe("Error", error.as_ref(), 1))
    }

    pub(crate) fn suspended(child_ids: Vec<Bytes>) -> Self {
        Self(Box::new(Kind::Suspended(child_ids)))
    }

    /// Sets whether another attempt can't help: the retry policy is not consulted then.
    #[must_use]
    pub fn with_non_retryable(self, non_retryable: bool) -> Self {
        self.change(|failure| failure.non_retryable = non_retryable)
    }

    /// Sets the time until the next attempt, in place of the retry policy's backoff.
    #[must_use]
    pub fn with_retry_delay(self, delay: Duration) -> Self {
        self.change(|failure| failure.retry_delay = Some(duration_to_proto(delay)))
    }

    /// Sets the exit code of a process that the handler ran: 1 to 255. Retry rules can match it.
    #[must_use]
    pub fn with_exit_code(self, code: u8) -> Self {
        self.change(|failure| failure.exit_code = code.into())
    }

    /// Sets the error that led to this one, with its sources, at most 16 levels in total.
    #[must_use]
    pub fn with_cause<E: StdError + 'static>(self, cause: E) -> Self {
        let described = describe(std::any::type_name::<E>(), &cause, 2);
        self.change(|failure| failure.cause = Some(Box::new(described)))
    }

    /// Sets data for programs that process the failure.
    #[must_use]
    pub fn with_details(self, details: Payload) -> Self {
        self.change(|failure| failure.details = Some(details))
    }

    /// Whether this is not a failure: the handler has suspended its job, or waits for children of it, and must pass this
    /// error on.
    pub fn is_suspended(&self) -> bool {
        matches!(*self.0, Kind::Suspended(_))
    }

    /// The failure to report. None: the handler is suspended.
    pub fn failure(&self) -> Option<&v1::Failure> {
        match &*self.0 {
            Kind::Failed(failure) => Some(failure),
            Kind::Suspended(_) => None,
        }
    }

    /// The failure, or the children that the handler waits for.
    pub(crate) fn into_parts(self) -> Result<v1::Failure, Vec<Bytes>> {
        match *self.0 {
            Kind::Failed(failure) => Ok(failure),
            Kind::Suspended(child_ids) => Err(child_ids),
        }
    }

    fn of(failure: v1::Failure) -> Self {
        Self(Box::new(Kind::Failed(failure)))
    }

    fn change(mut self, change: impl FnOnce(&mut v1::Failure)) -> Self {
        if let Kind::Failed(failure) = &mut *self.0 {
            change(failure);
        }
        self
    }
}

impl<E: StdError + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let mut failure = describe(std::any::type_name::<E>(), &error, 1);
        failure.stack_trace = stack_trace();
        Self::of(failure)
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Failed(failure) => write!(formatter, "{}: {}", failure.r#type, failure.message),
            Kind::Suspended(child_ids) if child_ids.is_empty() => formatter.write_str(
                "the handler has suspended its job; it has to let this error pass, and runs again later",
            ),
            Kind::Suspended(_) => formatter.write_str(
                "the handler waits for children of its job; it has to let this error pass, and runs again once they have ended",
            ),
        }
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn describe(kind: &str, error: &(dyn StdError + 'static), level: usize) -> v1::Failure {
    let mut described = failure(kind.into(), error.to_string());
    if let Some(source) = error.source()
        && level < MAX_CAUSES
    {
        // The type behind a `dyn Error` reference is unknown.
        described.cause = Some(Box::new(describe("Error", source, level + 1)));
    }
    described
}

fn failure(kind: String, message: String) -> v1::Failure {
    v1::Failure {
        r#type: cut(kind, MAX_TYPE),
        message: cut(message, MAX_MESSAGE),
        failure_cause: v1::FailureCause::Application.into(),
        ..Default::default()
    }
}

/// Empty if the program does not enable backtraces.
fn stack_trace() -> String {
    let trace = Backtrace::capture();
    match trace.status() {
        BacktraceStatus::Captured => cut(trace.to_string(), MAX_STACK),
        _ => String::new(),
    }
}

/// The longest prefix of whole characters that has at most `max` bytes.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("level {0}")]
    struct Nested(usize, #[source] Option<Box<Nested>>);

    #[test]
    fn an_error_is_known_by_its_path_and_brings_its_causes() {
        let nested = (0..40).fold(Nested(0, None), |inner, level| Nested(level + 1, Some(Box::new(inner))));
        let error = HandlerError::from(nested);
        let failure = error.failure().unwrap();
        assert!(failure.r#type.ends_with("::Nested"), "{}", failure.r#type);
        assert_eq!(failure.message, "level 40");
        let depth = std::iter::successors(Some(failure), |it| it.cause.as_deref()).count();
        assert_eq!(depth, MAX_CAUSES);
    }

    #[test]
    fn text_is_cut_at_a_whole_character() {
        let error = HandlerError::new("é".repeat(MAX_TYPE), "€".repeat(MAX_MESSAGE));
        let failure = error.failure().unwrap();
        assert_eq!(failure.r#type.len(), MAX_TYPE);
        assert_eq!(failure.message.len(), MAX_MESSAGE - MAX_MESSAGE % '€'.len_utf8());
    }

    #[test]
    fn what_a_failure_says_is_reported() {
        let error = HandlerError::new("Busy", "later")
            .with_non_retryable(true)
            .with_exit_code(7)
            .with_retry_delay(Duration::from_millis(1_500))
            .with_cause(std::io::Error::other("disk"));
        let failure = error.failure().unwrap();
        assert_eq!((failure.non_retryable, failure.exit_code), (true, 7));
        assert_eq!(failure.retry_delay.unwrap().nanos, 500_000_000);
        assert_eq!(failure.cause.as_ref().unwrap().r#type, "std::io::error::Error");
    }

    #[test]
    fn an_infrastructure_failure_has_its_own_cause() {
        let error = HandlerError::infrastructure("no disk");
        assert_eq!(error.failure().unwrap().failure_cause(), v1::FailureCause::Infrastructure);
    }
}
