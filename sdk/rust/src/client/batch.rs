//! Batches: sets of jobs that are submitted and followed as one.

use std::time::Duration;

use tonic::transport::Channel;

use super::calls::present;
use super::client::{Client, request_id};
use super::job_ref::SubmittedJob;
use super::submission::Submission;
use crate::error::Result;
use crate::v1;
use crate::v1::batch_service_client::BatchServiceClient;

/// A handle of a batch: it adds members, seals the batch and follows it. Methods that take a job accept it: a cancel of
/// the batch cancels its open members.
#[derive(Clone, Debug)]
pub struct BatchHandle {
    client: Client,
    job_id: String,
}

impl Client {
    /// Creates an open batch without members.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client) -> muster::Result<()> {
    /// use muster::{Submission, v1};
    ///
    /// let callback = Submission::new("notify-me").message()?;
    /// let batch = client.create_batch(v1::Batch { callback: Some(callback), ..Default::default() }).await?;
    /// batch.submit_many((0..1_000).map(|page| Submission::new("resize").input(&page))).await?;
    /// batch.seal().await?;
    /// let counts = batch.wait().await?.counts.unwrap_or_default();
    /// println!("{} of {} have failed", counts.failed, counts.members);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND) and FAILED_PRECONDITION
    /// (DEFINITION_ARCHIVED) for the callback's definition.
    pub async fn create_batch(&self, batch: v1::Batch) -> Result<BatchHandle> {
        let message = v1::CreateBatchRequest {
            namespace: self.calls.namespace.clone(),
            batch: Some(batch),
            request_id: request_id(),
        };
        let batches = self.batches();
        let answer = self.calls.make(message, |request| {
            let mut batches = batches.clone();
            async move { batches.create_batch(request).await }
        });
        let job = answer.await?.batch.and_then(|batch| batch.job);
        Ok(self.batch(present(job, "job")?))
    }

    /// A handle of an existing batch, by its job. Makes no call.
    pub fn batch(&self, batch: impl AsRef<str>) -> BatchHandle {
        BatchHandle { client: self.clone(), job_id: batch.as_ref().into() }
    }

    fn batches(&self) -> BatchServiceClient<Channel> {
        BatchServiceClient::new(self.channel())
    }
}

impl BatchHandle {
    /// UUID of the batch's job.
    pub fn job_id(&self) -> &str {
        &self.job_id
    }

    /// Works like [`Client::submit`]; the job becomes a member.
    ///
    /// # Errors
    /// As [`Client::submit`], and FAILED_PRECONDITION when the batch accepts no more members.
    pub async fn submit(&self, submission: Submission) -> Result<SubmittedJob> {
        self.client.submit(submission.batch(&self.job_id)).await
    }

    /// Works like [`Client::submit_many`]: up to 10,000 jobs of at most 3 MiB together per call. A batch can be filled
    /// by any number of calls.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_many(&self, submissions: impl IntoIterator<Item = Submission>) -> Result<Vec<SubmittedJob>> {
        self.client.submit_members(submissions, &self.job_id).await
    }

    /// Declares that the batch gets no more members: it ends once all members have ended. Sealing twice is not an
    /// error.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND (BATCH_NOT_FOUND).
    pub async fn seal(&self) -> Result<v1::Batch> {
        let namespace = self.client.calls.namespace.clone();
        let message = v1::SealBatchRequest { namespace, job_id: self.job_id.clone(), request_id: request_id() };
        let batches = self.client.batches();
        let answer = self.client.calls.make(message, |request| {
            let mut batches = batches.clone();
            async move { batches.seal_batch(request).await }
        });
        present(answer.await?.batch, "batch")
    }

    /// Reads the batch with its counts. The counts may lag behind the members by some milliseconds.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND (BATCH_NOT_FOUND).
    pub async fn get(&self) -> Result<v1::Batch> {
        let namespace = self.client.calls.namespace.clone();
        let message = v1::GetBatchRequest { namespace, job_id: self.job_id.clone() };
        let batches = self.client.batches();
        let answer = self.client.calls.make(message, |request| {
            let mut batches = batches.clone();
            async move { batches.get_batch(request).await }
        });
        present(answer.await?.batch, "batch")
    }

    /// Waits until the batch has ended, without a time limit, and returns it. A batch that is not sealed does not end.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub async fn wait(&self) -> Result<v1::Batch> {
        self.client.wait(self).await?;
        self.get().await
    }

    /// Waits until the batch has ended or the timeout has passed, and returns its current state: that of its job.
    ///
    /// # Errors
    /// As [`Client::wait_within`].
    pub async fn wait_within(&self, timeout: Duration) -> Result<v1::Batch> {
        self.client.wait_within(self, timeout).await?;
        self.get().await
    }
}

impl AsRef<str> for BatchHandle {
    fn as_ref(&self) -> &str {
        &self.job_id
    }
}
