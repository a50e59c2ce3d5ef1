//! Ends jobs that wait for an event or for an approval.

use std::time::Duration;

use serde::Serialize;

use super::calls::present;
use super::client::{Client, request_id};
use crate::duration::duration_to_proto;
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::v1;
use crate::v1::wait_service_client::WaitServiceClient;

/// An event for jobs that wait for it.
#[derive(Debug)]
#[must_use = "an event does nothing until a client sends it"]
pub struct Event {
    request: v1::SendEventRequest,
    /// Set when the payload could not be written as JSON.
    broken: Option<Error>,
}

impl Event {
    /// An event of this name with the empty key, without a payload.
    pub fn new(name: impl Into<String>) -> Self {
        let request = v1::SendEventRequest { name: name.into(), event_id: request_id(), ..Default::default() };
        Self { request, broken: None }
    }

    /// Selects the jobs that wait for this key. At most 256 characters.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.request.key = key.into();
        self
    }

    /// The result of the jobs that the event ends, as JSON. If it can't be written as JSON, sending fails with
    /// [`Error::Encode`].
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match Payload::json(value) {
            Ok(payload) => self.request.payload = Some(payload),
            Err(error) => self.broken = Some(error),
        }
        self
    }

    /// The result of the jobs that the event ends, byte for byte.
    pub fn payload(mut self, payload: Payload) -> Self {
        self.request.payload = Some(payload);
        self
    }

    /// How long the event is kept if no job waits for it; zero means that it is not kept. At most 30 days. Default: 1
    /// h.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.request.keep_for = Some(duration_to_proto(time));
        self
    }

    /// A UUID that makes repeats idempotent for a day. Default: a new one.
    pub fn event_id(mut self, event_id: impl Into<String>) -> Self {
        self.request.event_id = event_id.into();
        self
    }
}

impl Client {
    /// Sends an event: each job that waits for its name and key ends SUCCEEDED with the payload as its result. If none
    /// does, the event is kept for a while, and ends the first job that starts to wait for it.
    ///
    /// # Errors
    /// [`Error::Encode`]: the payload can't be written as JSON. [`Error::Call`]: INVALID_ARGUMENT; RESOURCE_EXHAUSTED
    /// (EVENTS_FULL).
    pub async fn send_event(&self, event: Event) -> Result<v1::SendEventResponse> {
        if let Some(error) = event.broken {
            return Err(error);
        }
        let message = v1::SendEventRequest { namespace: self.calls.namespace.clone(), ..event.request };
        let waits = WaitServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut waits = waits.clone();
            async move { waits.send_event(request).await }
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
        let waits = WaitServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut waits = waits.clone();
            async move { waits.approve_job(request).await }
        });
        present(answer.await?.job, "job")
    }

    /// Ends a job that waits for an approval as FAILED, with a final failure of type `Rejected`, and returns it.
    /// `reason` is the failure's message: at most 256 characters; empty: `rejected`.
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
        let waits = WaitServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut waits = waits.clone();
            async move { waits.reject_job(request).await }
        });
        present(answer.await?.job, "job")
    }
}
