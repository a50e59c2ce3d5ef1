//! A job as it was accepted.

/// A job as it was accepted. Whatever takes a job takes it or its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubmittedJob {
    /// UUID of the job.
    pub job_id: String,
    /// Whether the job was there already: the idempotency key or the request id was in use.
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
