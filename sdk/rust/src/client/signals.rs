//! Ends jobs that wait for a signal or for an approval.

use std::time::Duration;

use serde::Serialize;

use super::calls::present;
use super::client::{Client, request_id};
use crate::duration::duration_to_proto;
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::v1;
use crate::v1::signal_service_client::SignalServiceClient;

/// A signal for jobs that wait for it.
#[derive(Debug)]
#[must_use = "a signal does nothing until a client sends it"]
pub struct Signal {
    request: v1::SendSignalRequest,
    /// Set when the payload could not be written as JSON.
    broken: Option<Error>,
}

impl Signal {
    /// A signal of this name with the empty key, without a payload.
    pub fn new(name: impl Into<String>) -> Self {
        let request = v1::SendSignalRequest { name: name.into(), request_id: request_id(), ..Default::default() };
        Self { request, broken: None }
    }

    /// Selects the jobs that wait for this key. At most 256 characters.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.request.key = key.into();
        self
    }

    /// The result of the jobs that the signal ends, as JSON. If it can't be written as JSON, sending fails with
    /// [`Error::Encode`].
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match Payload::json(value) {
            Ok(payload) => self.request.payload = Some(payload),
            Err(error) => self.broken = Some(error),
        }
        self
    }

    /// The result of the jobs that the signal ends, byte for byte.
    pub fn payload(mut self, payload: Payload) -> Self {
        self.request.payload = Some(payload);
        self
    }

    /// How long the signal is kept if no job waits for it; zero means that it is not kept. At most 30 days.
    /// Default: 1 h.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.request.keep_for = Some(duration_to_proto(time));
        self
    }

    /// A UUID that makes repeats idempotent for a day. Default: a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request.request_id = request_id.into();
        self
    }
}

impl Client {
    /// Sends a signal: each job that waits for its name and key ends SUCCEEDED with the payload as its result. If none
    /// does, the signal is kept for a while, and ends the first job that starts to wait for it.
    ///
    /// # Errors
    /// [`Error::Encode`]: the payload can't be written as JSON. [`Error::Call`]: INVALID_ARGUMENT; RESOURCE_EXHAUSTED
    /// (SIGNALS_FULL).
    pub async fn send_signal(&self, signal: Signal) -> Result<v1::SendSignalResponse> {
        if let Some(error) = signal.broken {
            return Err(error);
        }
        let message = v1::SendSignalRequest { namespace: self.calls.namespace.clone(), ..signal.request };
        let signals = SignalServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut signals = signals.clone();
            async move { signals.send_signal(request).await }
        });
        answer.await
    }

    /// Ends a job that waits for an approval as SUCCEEDED, and returns it. The job's result contains `comment`, free
    /// text, and `payload`, which must be JSON.
    ///
    /// # Errors
    /// [`Error::Call`]: NOT_FOUND; FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL).
    pub async fn approve(&self, job: impl AsRef<str>, comment: &str, payload: Option<Payload>) -> Result<v1::Job> {
        let message = v1::ApproveJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            comment: comment.into(),
            payload,
            request_id: request_id(),
        };
        let signals = SignalServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut signals = signals.clone();
            async move { signals.approve_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Ends a job that waits for an approval as FAILED, with a non-retryable failure of type `Rejected`, and returns
    /// it. `reason` is the failure's message: at most 256 characters; empty: `rejected`.
    ///
    /// # Errors
    /// [`Error::Call`]: NOT_FOUND; FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL).
    pub async fn reject(&self, job: impl AsRef<str>, reason: &str) -> Result<v1::Job> {
        let message = v1::RejectJobRequest {
            namespace: self.calls.namespace.clone(),
            job_id: job.as_ref().into(),
            reason: reason.into(),
            request_id: request_id(),
        };
        let signals = SignalServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut signals = signals.clone();
            async move { signals.reject_job(request).await }
        });
        present(answer.await?.job, "job")
    }
}
