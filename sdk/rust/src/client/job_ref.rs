//! An accepted job.

/// An accepted job. Methods that take a job accept this or a job id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubmittedJob {
    /// UUID of the job.
    pub job_id: String,
    /// Whether the job existed before: the idempotency key or the request id was in use.
    pub existing: bool,
}

impl AsRef<str> for SubmittedJob {
    fn as_ref(&self) -> &str {
        &self.job_id
    }
}

impl AsRef<str> for crate::v1::Job {
    fn as_ref(&self) -> &str {
        &self.job_id
    }
}
