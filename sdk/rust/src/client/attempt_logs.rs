//! Reads the log records of handlers: page by page, or as a stream that is reopened when its connection breaks.

use futures::{TryStreamExt, stream};
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use super::client::Client;
use super::feed::Feed;
use super::following::{Followed, NewItems, follow};
use crate::error::{Error, Result};
use crate::v1;
use crate::v1::job_service_client::JobServiceClient;

const PAGE_SIZE: i32 = 200;

/// Which log records of a job are read.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing until logs are read by it"]
pub struct LogOptions {
    attempt: i32,
    follow: bool,
}

impl LogOptions {
    /// All records that are stored now, of all attempts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only records of this attempt. Default: of all.
    pub fn attempt(mut self, attempt: i32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Whether reading continues until the job has ended, or until the attempt is over. Each record arrives within
    /// milliseconds after the control plane receives it. Default: false.
    pub fn follow(mut self, follow: bool) -> Self {
        self.follow = follow;
        self
    }
}

impl Client {
    /// Reads the log records of the job's handlers: by attempt, and within an attempt in the order of writing. The
    /// newest 64 KiB of an attempt are kept; each record says how many records before it are missing
    /// (`skipped_count`). Texts are unchanged, control characters included. With `follow`, a lost connection is
    /// reopened as in [`watch`](Self::watch), and each record arrives once.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client, job_id: &str) -> muster::Result<()> {
    /// use muster::client::LogOptions;
    ///
    /// let mut records = client.logs(job_id, LogOptions::new().follow(true));
    /// while let Some(record) = records.next().await? {
    ///     println!("{} {}", record.attempt, record.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; INVALID_ARGUMENT; with `follow` also RESOURCE_EXHAUSTED when too
    /// many callers follow logs, and UNAVAILABLE when the control plane stays out of reach.
    pub fn logs(&self, job: impl AsRef<str>, options: LogOptions) -> Feed<v1::LogRecord> {
        let (namespace, job_id) = (self.calls.namespace.clone(), job.as_ref().to_owned());
        let LogOptions { attempt, follow: is_followed } = options;
        if is_followed {
            let request = v1::WatchAttemptLogsRequest { namespace, job_id, attempt, resume_token: String::new() };
            return follow(&self.calls, FollowedLogs { jobs: self.jobs.clone(), request });
        }
        let page_token = String::new();
        self.log_pages(v1::ListAttemptLogsRequest { namespace, job_id, attempt, page_size: PAGE_SIZE, page_token })
    }

    fn log_pages(&self, first: v1::ListAttemptLogsRequest) -> Feed<v1::LogRecord> {
        let client = self.clone();
        let pages = stream::try_unfold(Some(first), move |next| {
            let client = client.clone();
            async move {
                let Some(request) = next else { return Ok::<_, Error>(None) };
                let page = client.log_page(request.clone()).await?;
                let more = !page.next_page_token.is_empty();
                let next = more.then_some(v1::ListAttemptLogsRequest { page_token: page.next_page_token, ..request });
                Ok(Some((stream::iter(page.records.into_iter().map(Ok)), next)))
            }
        });
        Feed::new(pages.try_flatten())
    }

    async fn log_page(&self, request: v1::ListAttemptLogsRequest) -> Result<v1::ListAttemptLogsResponse> {
        let answer = self.calls.make(request, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.list_attempt_logs(request).await }
        });
        answer.await
    }
}

struct FollowedLogs {
    jobs: JobServiceClient<Channel>,
    /// Its token marks where the next stream continues.
    request: v1::WatchAttemptLogsRequest,
}

impl Followed for FollowedLogs {
    type Message = v1::WatchAttemptLogsResponse;
    type Item = v1::LogRecord;

    async fn open(&self) -> Result<Response<Streaming<v1::WatchAttemptLogsResponse>>, Status> {
        self.jobs.clone().watch_attempt_logs(self.request.clone()).await
    }

    fn take(&mut self, message: v1::WatchAttemptLogsResponse) -> NewItems<v1::LogRecord> {
        self.request.resume_token = message.resume_token;
        NewItems { items: message.records, is_over: message.ended }
    }
}
