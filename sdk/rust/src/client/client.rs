//! The connection to Muster.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use uuid::Uuid;

use super::calls::{Calls, present};
use super::job_filter::JobFilter;
use super::job_pages::JobPages;
use super::job_ref::SubmittedJob;
use super::job_wait::{job_result, wait_for_end};
use super::submission::Submission;
use super::transport_retry::TransportRetry;
use crate::error::Result;
use crate::telemetry::submit_span::SubmitSpan;
use crate::telemetry::trace_fields::TraceFields;
use crate::transport::MAX_MESSAGE_BYTES;
use crate::v1;
use crate::v1::job_service_client::JobServiceClient;

/// Configures a client. [`Client::builder`] creates it.
#[must_use = "a builder does nothing until it builds a client"]
pub struct ClientBuilder {
    address: String,
    namespace: String,
    timeout: Option<Duration>,
    retry: TransportRetry,
}

impl ClientBuilder {
    /// The namespace of all calls. Default: `default`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Maximum duration of a call, repeats included. Default: 15 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How calls are repeated while the control plane can't be reached.
    pub fn retry(mut self, retry: TransportRetry) -> Self {
        self.retry = retry;
        self
    }

    /// Builds the client. It connects on the first call.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument): the address is invalid.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn build(self) -> Result<Client> {
        let mut calls = Calls::open(&self.address)?;
        calls.namespace = self.namespace;
        calls.retry = self.retry;
        calls.timeout = self.timeout.unwrap_or(calls.timeout);
        let jobs = JobServiceClient::new(calls.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
        Ok(Client { calls, jobs })
    }
}

/// A connection to Muster. Clones share it.
///
/// While the control plane can't be reached, calls are repeated a limited number of times with one request id, so a
/// repeated submission yields the same job. A failed call returns [`Error::Call`](crate::Error::Call) with a code, a
/// stable reason and the rejected fields. Dropping a future ends its call; the job continues.
///
/// ```no_run
/// use muster::{Client, Submission};
///
/// # async fn example() -> muster::Result<()> {
/// let client = Client::connect("127.0.0.1:7070")?;
/// let job = client.submit(Submission::new("add").input(&serde_json::json!({ "a": 1, "b": 2 }))).await?;
/// let sum: i64 = client.result(&job).await?;
/// # let _ = sum;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) calls: Calls,
    pub(super) jobs: JobServiceClient<Channel>,
}

impl Client {
    /// Creates a client of the default namespace with the default timeouts. [`builder`](Self::builder) has the options.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument): the address is invalid.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn connect(address: impl Into<String>) -> Result<Self> {
        Self::builder(address).build()
    }

    /// Creates a builder. `address` is the control plane's gRPC port: `host:port` or a URL such as `http://muster:7070`
    /// (`https://…` with the feature `tls`), or several addresses separated by commas, between which calls alternate.
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            address: address.into(),
            namespace: String::new(),
            timeout: None,
            retry: TransportRetry::default(),
        }
    }

    /// The connection, for generated clients in [`v1`] of calls that have no method here.
    ///
    /// ```no_run
    /// use muster::v1::queue_service_client::QueueServiceClient;
    ///
    /// # async fn example(client: muster::Client) -> muster::Result<()> {
    /// let mut queues = QueueServiceClient::new(client.channel());
    /// queues.list_queues(muster::v1::ListQueuesRequest::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn channel(&self) -> Channel {
        self.calls.channel.clone()
    }

    /// Stores a job. The job is committed when this returns.
    ///
    /// # Errors
    /// [`Error::Encode`](crate::Error::Encode): the input can't be written as JSON.
    /// [`Error::Call`](crate::Error::Call): INVALID_ARGUMENT, NOT_FOUND (no such definition), ALREADY_EXISTS (the
    /// idempotency key is in use), RESOURCE_EXHAUSTED (QUEUE_FULL and others), UNAVAILABLE (unknown whether the job was
    /// stored).
    pub async fn submit(&self, submission: Submission) -> Result<SubmittedJob> {
        let Submission { request_id, batch_job_id, .. } = &submission;
        let (request_id, batch_job_id) = (request_id.clone(), batch_job_id.clone());
        let job = submission.message()?;
        let span = SubmitSpan::start(&self.calls.address, &self.calls.namespace, &[&job.definition]);
        let trace = span.fields.clone();
        let message = v1::SubmitJobRequest {
            namespace: self.calls.namespace.clone(),
            job: Some(job),
            request_id,
            batch_job_id,
            parent: None,
        };
        let answer = self.calls.make(message, |mut request| {
            add_trace(&mut request, trace.as_ref());
            let mut jobs = self.jobs.clone();
            async move { jobs.submit_job(request).await }
        });
        let answer = answer.await.map(|answer| vec![answer.into()]);
        span.end(&answer);
        present(answer?.pop(), "job")
    }

    /// Stores up to 10,000 jobs of at most 3 MiB together, all or none. The results are in the order of the jobs.
    /// Request ids and batches of the single submissions are ignored.
    ///
    /// # Errors
    /// As [`submit`](Self::submit); the path of a rejected field contains the index of its job.
    pub async fn submit_many(&self, submissions: impl IntoIterator<Item = Submission>) -> Result<Vec<SubmittedJob>> {
        self.submit_members(submissions, "").await
    }

    /// `batch_job_id`: the open batch of which the jobs become members. Empty: none.
    pub(super) async fn submit_members(
        &self,
        submissions: impl IntoIterator<Item = Submission>,
        batch_job_id: &str,
    ) -> Result<Vec<SubmittedJob>> {
        let jobs = submissions.into_iter().map(Submission::message).collect::<Result<Vec<_>>>()?;
        let definitions: Vec<&str> = jobs.iter().map(|job| &*job.definition).collect();
        let span = SubmitSpan::start(&self.calls.address, &self.calls.namespace, &definitions);
        let trace = span.fields.clone();
        let message = v1::SubmitJobsRequest {
            namespace: self.calls.namespace.clone(),
            jobs,
            request_id: request_id(),
            batch_job_id: batch_job_id.into(),
            parent: None,
        };
        let answer = self.calls.make(message, |mut request| {
            add_trace(&mut request, trace.as_ref());
            let mut jobs = self.jobs.clone();
            async move { jobs.submit_jobs(request).await }
        });
        let answer = answer.await.map(|answer| answer.jobs.into_iter().map(Into::into).collect());
        span.end(&answer);
        answer
    }

    /// Reads the current state of a job.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND.
    pub async fn get(&self, job: impl AsRef<str>) -> Result<v1::Job> {
        let message = v1::GetJobRequest { namespace: self.calls.namespace.clone(), job_id: job.as_ref().into() };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.get_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Reports why a job is in its state: what keeps it from starting, who holds that and when it is released, its
    /// queue position and an estimate of its start; which worker runs it; how it ended. `summary` says all of it in
    /// sentences.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND.
    pub async fn explain(&self, job: impl AsRef<str>) -> Result<v1::JobExplanation> {
        let message = v1::ExplainJobRequest { namespace: self.calls.namespace.clone(), job_id: job.as_ref().into() };
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.explain_job(request).await }
        });
        present(answer.await?.explanation, "explanation")
    }

    /// Waits until the job has ended, without a time limit and across restarts of the control plane, and returns it. A
    /// handler that waits keeps its slot meanwhile; [`Context::wait`](crate::worker::Context::wait) gives it back.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; UNAVAILABLE when the control plane is out of reach for 35 s.
    pub async fn wait(&self, job: impl AsRef<str>) -> Result<v1::Job> {
        wait_for_end(&self.calls, &self.jobs, job.as_ref(), None).await
    }

    /// Waits until the job has ended or the timeout has passed, and returns the job's current state.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND; UNAVAILABLE when the control plane is out of reach for 35 s, or
    /// at the end.
    pub async fn wait_within(&self, job: impl AsRef<str>, timeout: Duration) -> Result<v1::Job> {
        wait_for_end(&self.calls, &self.jobs, job.as_ref(), Some(timeout)).await
    }

    /// Waits for the job's end and decodes the handler's result from JSON. For other results, such as bytes, use
    /// [`wait`](Self::wait) and the payload in `outcome`.
    ///
    /// # Errors
    /// [`Error::JobFailed`](crate::Error::JobFailed): the job ended without a result.
    /// [`Error::Decode`](crate::Error::Decode): the result does not fit `T`. [`Error::Call`](crate::Error::Call): as
    /// [`wait`](Self::wait).
    pub async fn result<T: DeserializeOwned>(&self, job: impl AsRef<str>) -> Result<T> {
        job_result(self.wait(job).await?)
    }

    /// [`result`](Self::result) with a timeout.
    ///
    /// # Errors
    /// As [`result`](Self::result), and [`Error::WaitTimeout`](crate::Error::WaitTimeout): the job has not ended yet.
    pub async fn result_within<T: DeserializeOwned>(&self, job: impl AsRef<str>, timeout: Duration) -> Result<T> {
        job_result(self.wait_within(job, timeout).await?)
    }

    /// Lists all matching jobs, newest first, without their inputs and results. Pages are fetched as needed.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client) -> muster::Result<()> {
    /// use muster::client::JobFilter;
    ///
    /// let mut jobs = client.list(JobFilter::new().definition("resize").label("album", "summer"));
    /// while let Some(job) = jobs.next().await? {
    ///     println!("{} {}", job.job_id, muster::state_name(job.state()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self, filter: JobFilter) -> JobPages {
        JobPages::new(self.clone(), filter)
    }

    pub(super) async fn list_page(&self, mut message: v1::ListJobsRequest) -> Result<v1::ListJobsResponse> {
        message.namespace.clone_from(&self.calls.namespace);
        let answer = self.calls.make(message, |request| {
            let mut jobs = self.jobs.clone();
            async move { jobs.list_jobs(request).await }
        });
        answer.await
    }
}

pub(super) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn add_trace<T>(request: &mut tonic::Request<T>, trace: Option<&TraceFields>) {
    let Some(trace) = trace else { return };
    for (name, value) in [("traceparent", &trace.traceparent), ("tracestate", &trace.tracestate)] {
        // A value that is not valid in a header is left out, so that it does not fail the submission.
        if let Some(value) = MetadataValue::try_from(value).ok().filter(|_| !value.is_empty()) {
            request.metadata_mut().insert(name, value);
        }
    }
}
