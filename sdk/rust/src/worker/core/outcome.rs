//! Outcomes of attempts, as messages for reports.

use bytes::Bytes;

use crate::v1;
use crate::worker::v1 as protocol;
pub(crate) use crate::worker::v1::attempt_report::Outcome;

/// How a handler ended.
#[derive(Debug)]
pub(crate) enum HandlerOutcome {
    Result(v1::Payload),
    Failure(v1::Failure),
    /// It stopped on request, or waits for children of its job: their UUIDs.
    Suspended(Vec<Bytes>),
}

/// Type of the failure that replaces a report that the server does not accept.
pub(crate) const REFUSED: &str = "ReportRefused";

pub(crate) fn released(reason: protocol::ReleaseReason) -> Outcome {
    Outcome::Released(protocol::Released { reason: reason.into() })
}

pub(crate) fn cancelled() -> Outcome {
    Outcome::Cancelled(protocol::Cancelled {})
}

pub(crate) fn suspended(child_job_ids: Vec<Bytes>) -> Outcome {
    Outcome::Suspended(protocol::Suspended { child_job_ids })
}

pub(crate) fn aborted() -> Outcome {
    Outcome::Aborted(protocol::Aborted {})
}

/// The handler's result or failure. A result that the server would refuse becomes a non-retryable failure.
pub(crate) fn of_handler(outcome: HandlerOutcome, max_payload: usize) -> Outcome {
    match outcome {
        HandlerOutcome::Failure(failure) => Outcome::Failure(failure),
        HandlerOutcome::Suspended(child_job_ids) => suspended(child_job_ids),
        HandlerOutcome::Result(payload) if payload.data.len() <= max_payload => Outcome::Result(payload),
        HandlerOutcome::Result(payload) => {
            let size = payload.data.len();
            let message = format!("the result has {size} bytes; the maximum is {max_payload}");
            Outcome::Failure(sdk_failure("ResultTooLarge", message))
        }
    }
}

pub(crate) fn run_timeout() -> Outcome {
    Outcome::Failure(v1::Failure {
        failure_cause: v1::FailureCause::Timeout.into(),
        non_retryable: false,
        ..sdk_failure("RunTimeout", "the handler did not return within its run timeout".into())
    })
}

/// A failure detected by the SDK that another attempt would not fix.
pub(crate) fn sdk_failure(kind: &str, message: String) -> v1::Failure {
    v1::Failure {
        r#type: kind.into(),
        message,
        failure_cause: v1::FailureCause::Application.into(),
        non_retryable: true,
        ..Default::default()
    }
}
