//! Batches: many jobs that are submitted and followed as one.

use std::time::Duration;

use tonic::transport::Channel;

use super::calls::present;
use super::client::{Client, request_id};
use super::job_ref::SubmittedJob;
use super::submission::Submission;
use crate::error::Result;
use crate::v1;
use crate::v1::batch_service_client::BatchServiceClient;

/// A batch by its job: members are added to it, then it is sealed and followed. Whatever takes a job takes it, too: a cancel of it
/// cancels its open members.
#[derive(Clone, Debug)]
pub struct BatchHandle {
    client: Client,
    job_id: String,
}

impl Client {
    /// Makes an open batch without members.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client) -> muster::Result<()> {
    /// use muster::{Submission, v1};
    ///
    /// let callback = Submission::new("tell-me").message()?;
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
    /// (DEFINITION_ARCHIVED) of the callback.
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

    /// A batch that is there, by its job. Asks nothing.
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

    /// As [`Client::submit`]: the job becomes a member.
    ///
    /// # Errors
    /// As [`Client::submit`], and FAILED_PRECONDITION when the batch takes no more.
    pub async fn submit(&self, submission: Submission) -> Result<SubmittedJob> {
        self.client.submit(submission.batch(&self.job_id)).await
    }

    /// As [`Client::submit_many`]: up to 10,000 jobs of at most 3 MiB a call, and as many calls as it takes.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_many(&self, submissions: impl IntoIterator<Item = Submission>) -> Result<Vec<SubmittedJob>> {
        self.client.submit_members(submissions, &self.job_id).await
    }

    /// There are no more members: the batch ends once all have. Sealing twice is no error.
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

    /// Reads the batch with its counts, which may be some milliseconds behind its members.
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

    /// Waits for the batch's end, however long it takes, and answers it; one that is not sealed has none.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub async fn wait(&self) -> Result<v1::Batch> {
        self.client.wait(self).await?;
        self.get().await
    }

    /// Waits until the batch has ended or the time is up, and answers it as it is then: the state is its job's.
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
