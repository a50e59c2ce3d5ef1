//! Errors of calls, and of jobs that a caller waits for.

use std::collections::BTreeMap;
use std::time::Duration;

pub use tonic::Code;
use tonic_types::StatusExt;

use crate::job_state::state_name;
use crate::v1;

/// A field that the server rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path to the field, such as `job.priority`.
    pub field: String,
    /// Why it is invalid.
    pub description: String,
}

/// A failed call: refused by the server, or not answered.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code:?}{}: {message}", .reason.is_empty().then(String::new).unwrap_or_else(|| format!(" ({reason})")))]
#[non_exhaustive]
pub struct CallError {
    /// gRPC status code.
    pub code: Code,
    /// Stable reason, such as `JOB_NOT_FOUND`. Empty when the server sent none, for example because it can't be
    /// reached.
    pub reason: String,
    /// A readable description.
    pub message: String,
    /// The variables of the message.
    pub metadata: BTreeMap<String, String>,
    /// The invalid fields of the request. Empty unless `code` is [`Code::InvalidArgument`].
    pub field_violations: Vec<FieldViolation>,
    /// How long the server asks to wait before the next call. None: the server named no delay.
    pub retry_delay: Option<Duration>,
}

impl CallError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: String::new(),
            message: message.into(),
            metadata: BTreeMap::new(),
            field_violations: Vec::new(),
            retry_delay: None,
        }
    }
}

impl From<tonic::Status> for CallError {
    /// Unreadable details are skipped.
    fn from(status: tonic::Status) -> Self {
        if let Some(error) = transport_error(&status) {
            return error;
        }
        let details = status.get_error_details();
        let mut error = Self::new(status.code(), status.message());
        if let Some(info) = details.error_info() {
            error.reason.clone_from(&info.reason);
            error.metadata = info.metadata.clone().into_iter().collect();
        }
        if let Some(request) = details.bad_request() {
            let violations = request.field_violations.iter().map(|violation| FieldViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            });
            error.field_violations = violations.collect();
        }
        error.retry_delay = details.retry_info().and_then(|info| info.retry_delay);
        error
    }
}

/// A status that was created on this side has a source: the connection failed, or the timeout has passed. It is unknown
/// then what the server has done.
fn transport_error(status: &tonic::Status) -> Option<CallError> {
    let first = std::error::Error::source(status)?;
    let chain: Vec<_> = std::iter::successors(Some(first), |error| error.source()).collect();
    if chain.iter().any(|error| error.is::<tonic::TimeoutExpired>()) {
        return Some(CallError::new(Code::DeadlineExceeded, "the call was not answered in time"));
    }
    let text: Vec<String> = chain.iter().map(ToString::to_string).collect();
    Some(CallError::new(Code::Unavailable, text.join(": ")))
}

/// A job that ended without a result: FAILED, CANCELLED, EXPIRED or SKIPPED.
#[derive(Clone, Debug, thiserror::Error)]
#[error("job {} ended {}{}", .job.job_id, state_name(.job.state()), why(.job))]
pub struct JobFailed {
    /// The ended job.
    pub job: v1::Job,
}

impl JobFailed {
    /// Why the job did not succeed. None: the job has no failure.
    pub fn failure(&self) -> Option<&v1::Failure> {
        match &self.job.outcome {
            Some(v1::job::Outcome::Failure(failure)) => Some(failure),
            _ => None,
        }
    }
}

fn why(job: &v1::Job) -> String {
    match &job.outcome {
        Some(v1::job::Outcome::Failure(failure)) => format!(": {}: {}", failure.r#type, failure.message),
        _ if job.state_reason.is_empty() => String::new(),
        _ => format!(": {}", job.state_reason),
    }
}

/// The error of this crate's methods.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Box<CallError>),
    /// The awaited job ended without a result.
    #[error(transparent)]
    JobFailed(#[from] Box<JobFailed>),
    /// The awaited job has not ended within the timeout.
    #[error("job {job_id} has not ended yet: it is {}", state_name(*.state))]
    WaitTimeout {
        /// UUID of the job.
        job_id: String,
        /// Its current state.
        state: v1::JobState,
    },
    /// A value can't be written as JSON.
    #[error("the value can't be written as JSON: {0}")]
    Encode(#[source] serde_json::Error),
    /// A payload is not JSON of the requested type.
    #[error("the payload can't be read: {0}")]
    Decode(#[source] serde_json::Error),
    /// An argument is invalid; nothing was sent.
    #[error("{0}")]
    InvalidArgument(String),
}

impl Error {
    /// The failed call, if the error is one.
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Error::Call(error) => Some(error),
            _ => None,
        }
    }

    /// gRPC status code of the failed call. None: the error is not a failed call.
    pub fn code(&self) -> Option<Code> {
        self.call().map(|error| error.code)
    }

    /// Stable reason of the failed call, such as `JOB_NOT_FOUND`. Empty: none.
    pub fn reason(&self) -> &str {
        self.call().map_or("", |error| &error.reason)
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Error::Call(Box::new(error))
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        CallError::from(status).into()
    }
}

/// The result type of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    #[test]
    fn the_details_of_a_refusal_are_read() {
        let mut details = ErrorDetails::new();
        details.set_error_info("QUEUE_FULL", "muster", HashMap::from([("queue".to_owned(), "mail".to_owned())]));
        details.add_bad_request_violation("job.priority", "is too high");
        details.set_retry_info(Some(Duration::from_secs(3)));
        let status = tonic::Status::with_error_details(Code::ResourceExhausted, "the queue is full", details);
        let error = CallError::from(status);
        assert_eq!(
            (error.code, &*error.reason, &*error.metadata["queue"]),
            (Code::ResourceExhausted, "QUEUE_FULL", "mail")
        );
        let violation = FieldViolation { field: "job.priority".into(), description: "is too high".into() };
        assert_eq!(error.field_violations, [violation]);
        assert_eq!(error.retry_delay, Some(Duration::from_secs(3)));
        assert_eq!(error.to_string(), "ResourceExhausted (QUEUE_FULL): the queue is full");
    }

    #[test]
    fn a_refusal_without_details_is_read_as_well() {
        let status = tonic::Status::with_details(Code::Internal, "oops", vec![0xff; 5].into());
        let error = CallError::from(status);
        assert_eq!((error.code, &*error.reason, error.retry_delay), (Code::Internal, "", None));
    }

    #[test]
    fn what_failed_on_this_side_is_out_of_reach() {
        let broken = tonic::Status::from_error(Box::new(std::io::Error::other("broken pipe")));
        let error = CallError::from(broken);
        assert_eq!((error.code, &*error.message), (Code::Unavailable, "broken pipe"));
        let late = tonic::Status::from_error(Box::new(tonic::TimeoutExpired(())));
        assert_eq!(CallError::from(late).code, Code::DeadlineExceeded);
    }

    #[test]
    fn a_failed_job_says_why() {
        let failure = v1::Failure { r#type: "Oops".into(), message: "no".into(), ..Default::default() };
        let mut job =
            v1::Job { job_id: "1".into(), outcome: Some(v1::job::Outcome::Failure(failure)), ..Default::default() };
        job.set_state(v1::JobState::Failed);
        let failed = JobFailed { job };
        assert_eq!(failed.to_string(), "job 1 ended FAILED: Oops: no");
        assert_eq!(failed.failure().unwrap().r#type, "Oops");
    }
}
