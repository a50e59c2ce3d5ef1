//! Changes submitted jobs.

use super::calls::present;
use super::cancel::Cancel;
use super::client::{Client, request_id};
use super::pause::Pause;
use crate::error::Result;
use crate::v1;

impl Client {
    /// Asks a job to stop and returns its new state: CANCELLED, or CANCELLING while its handler has not returned.
    /// The state is SUCCEEDED if the handler has returned a result meanwhile. `cancel` may be the reason alone.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client, job: String) -> muster::Result<()> {
    /// use std::time::Duration;
    /// use muster::client::Cancel;
    ///
    /// client.cancel(&job, "the order was withdrawn").await?;
    /// client.cancel(&job, Cancel::new("now").grace(Duration::ZERO)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION when the job has ended in another state.
    pub async fn cancel(&self, job: impl AsRef<str>, cancel: impl Into<Cancel>) -> Result<v1::Job> {
        let Cancel(request) = cancel.into();
        let message = v1::CancelJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            request_id: request_id(),
            ..request
        };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.cancel_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Pauses a job and returns its new state: PAUSED, or, with [`Pause::running`], still RUNNING until its handler has
    /// stopped. The job still expires while it is paused. `pause` may be the reason alone.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client, job: String) -> muster::Result<()> {
    /// use std::time::Duration;
    /// use muster::client::Pause;
    ///
    /// client.pause(&job, "the shop is closed").await?;
    /// client.pause(&job, Pause::new("the disk is full").running().grace(Duration::from_secs(10))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION (JOB_ENDED; JOB_NOT_WAITING when it runs,
    /// without [`Pause::running`]).
    pub async fn pause(&self, job: impl AsRef<str>, pause: impl Into<Pause>) -> Result<v1::Job> {
        let Pause(request) = pause.into();
        let message = v1::PauseJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            request_id: request_id(),
            ..request
        };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.pause_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Continues a paused job: at once, or at its run time if that is in the future. A job that is not paused does not
    /// change; one that is exhausted gets all attempts of its retry policy again.
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

    /// Ends a job that is PAUSED after a failed attempt, with that failure. The reason is shown to operators; at most 256
    /// characters.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION (JOB_ENDED; JOB_NOT_FAILED: it is not paused,
    /// or its last attempt has not failed).
    pub async fn fail(&self, job: impl AsRef<str>, reason: &str) -> Result<v1::Job> {
        let message = v1::FailJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            reason: reason.into(),
            request_id: request_id(),
        };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.fail_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Creates a new job with the same specification as a job that has ended, and returns the new one. Its `retry_of`
    /// names the old one.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED,
    /// DEFINITION_ARCHIVED).
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
