//! Watches a job.

use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use super::client::Client;
use super::feed::Feed;
use super::following::{Followed, NewItems, follow};
use crate::job_state::is_terminal;
use crate::v1;
use crate::v1::job_service_client::JobServiceClient;

impl Client {
    /// Watches a job: its current state, then its state after each change, until it has ended. Changes in quick
    /// succession are merged into one. A lost connection is reopened, as many times in a row as
    /// [`TransportRetry`](super::TransportRetry) allows; no change is reported twice.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client, job_id: &str) -> muster::Result<()> {
    /// let mut jobs = client.watch(job_id);
    /// while let Some(job) = jobs.next().await? {
    ///     println!("{}", muster::state_name(job.state()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; RESOURCE_EXHAUSTED when there are too many watches; UNAVAILABLE
    /// when the control plane stays out of reach.
    pub fn watch(&self, job: impl AsRef<str>) -> Feed<v1::Job> {
        let request = v1::WatchJobRequest { namespace: self.calls.namespace.clone(), job_id: job.as_ref().into() };
        follow(&self.calls, WatchedJob { jobs: self.jobs.clone(), request, revision: None })
    }
}

struct WatchedJob {
    jobs: JobServiceClient<Channel>,
    request: v1::WatchJobRequest,
    /// The last revision returned.
    revision: Option<i64>,
}

impl Followed for WatchedJob {
    type Message = v1::WatchJobResponse;
    type Item = v1::Job;

    async fn open(&self) -> Result<Response<Streaming<v1::WatchJobResponse>>, Status> {
        self.jobs.clone().watch_job(self.request.clone()).await
    }

    fn take(&mut self, message: v1::WatchJobResponse) -> NewItems<v1::Job> {
        let changed = message.job.filter(|job| self.revision != Some(job.revision));
        let is_over = changed.as_ref().is_some_and(|job| is_terminal(job.state()));
        self.revision = changed.as_ref().map(|job| job.revision).or(self.revision);
        NewItems { items: changed.into_iter().collect(), is_over }
    }
}
