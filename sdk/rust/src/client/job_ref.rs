//! An accepted job.

use crate::v1;

/// An accepted job. Methods that take a job accept this or a job id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubmittedJob {
    /// UUID of the job.
    pub job_id: String,
    /// Whether the job existed before: the idempotency key or the request id was in use.
    pub existing: bool,
}

impl From<v1::SubmitJobResponse> for SubmittedJob {
    fn from(answer: v1::SubmitJobResponse) -> Self {
        Self { job_id: answer.job_id, existing: answer.existing }
    }
}

impl From<v1::SubmissionResult> for SubmittedJob {
    fn from(job: v1::SubmissionResult) -> Self {
        Self { job_id: job.job_id, existing: job.existing }
    }
}

impl AsRef<str> for SubmittedJob {
    fn as_ref(&self) -> &str {
        &self.job_id
    }
}

impl AsRef<str> for v1::Job {
    fn as_ref(&self) -> &str {
        &self.job_id
    }
}
