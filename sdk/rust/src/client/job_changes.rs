//! Changes jobs that were submitted.

use super::calls::present;
use super::client::{Client, request_id};
use crate::error::Result;
use crate::v1;

impl Client {
    /// Asks a job to stop and answers it as it is then: CANCELLED, or CANCELLING while its handler has yet to return. `reason` is
    /// for people: at most 256 characters.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION when it has ended otherwise.
    pub async fn cancel(&self, job: impl AsRef<str>, reason: &str) -> Result<v1::Job> {
        let message = v1::CancelJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            reason: reason.into(),
            request_id: request_id(),
        };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.cancel_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Holds a job that waits, and answers it as it is then. Its expiry goes on. `reason` is for people: at most 256 characters.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION (JOB_NOT_WAITING, JOB_ENDED).
    pub async fn pause(&self, job: impl AsRef<str>, reason: &str) -> Result<v1::Job> {
        let message = v1::PauseJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            reason: reason.into(),
            request_id: request_id(),
        };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.pause_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Lets a paused job go on: at once, or at its run time if that is still to come. One that is not paused stays as it is.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION (JOB_ENDED).
    pub async fn resume(&self, job: impl AsRef<str>) -> Result<v1::Job> {
        let message = v1::ResumeJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            request_id: request_id(),
        };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.resume_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Makes a new job like one that has ended, and answers it; its `retry_of` names the old one.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, DEFINITION_ARCHIVED).
    pub async fn retry(&self, job: impl AsRef<str>) -> Result<v1::Job> {
        let message = v1::RetryJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            request_id: request_id(),
            ..v1::RetryJobRequest::default()
        };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.retry_job(request).await }
        });
        present(answer.await?.job, "job")
    }
}
