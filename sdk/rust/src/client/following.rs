//! Follows streams that may break, and reopens them after the last item received.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream;
use tonic::{Code, Response, Status, Streaming};

use super::calls::Calls;
use super::feed::Feed;
use super::transport_retry::TransportRetry;
use crate::error::{CallError, Result};

/// The new items of a message, and whether it is the last message.
pub(super) struct NewItems<T> {
    pub items: Vec<T>,
    pub is_over: bool,
}

pub(super) trait Followed: Send + Sync + 'static {
    type Message: Send + 'static;
    type Item: Send + 'static;

    /// Opens a stream that continues after the last item received.
    fn open(&self) -> impl Future<Output = Result<Response<Streaming<Self::Message>>, Status>> + Send;

    /// Reads a message, and remembers where the next stream must continue.
    fn take(&mut self, message: Self::Message) -> NewItems<Self::Item>;
}

/// Follows streams. Fails with the error of a stream when it is not transient, or after too many failures in a row.
pub(super) fn follow<F: Followed>(calls: &Calls, followed: F) -> Feed<F::Item> {
    let follower = Follower {
        followed,
        retry: calls.retry,
        timeout: calls.timeout,
        stream: None,
        unread: VecDeque::new(),
        is_over: false,
        failures: 0,
    };
    Feed::new(stream::try_unfold(follower, |mut follower| async move {
        Ok(follower.next().await?.map(|item| (item, follower)))
    }))
}

struct Follower<F: Followed> {
    followed: F,
    retry: TransportRetry,
    /// Maximum wait for the start of a stream.
    timeout: Duration,
    stream: Option<Streaming<F::Message>>,
    /// Items of the last message that were not returned yet.
    unread: VecDeque<F::Item>,
    is_over: bool,
    /// Consecutive failures.
    failures: u32,
}

impl<F: Followed> Follower<F> {
    async fn next(&mut self) -> Result<Option<F::Item>> {
        loop {
            if let Some(item) = self.unread.pop_front() {
                return Ok(Some(item));
            }
            if self.is_over {
                return Ok(None);
            }
            match self.message().await {
                Ok(message) => {
                    let new = self.followed.take(message);
                    self.unread = new.items.into();
                    self.is_over = new.is_over;
                    self.failures = 0;
                }
                Err(error) => self.pause_after(error).await?,
            }
        }
    }

    async fn message(&mut self) -> Result<F::Message, CallError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let opened = tokio::time::timeout(self.timeout, self.followed.open()).await;
                let silent = |_| CallError::new(Code::Unavailable, "nobody has answered in time");
                self.stream.insert(opened.map_err(silent)??.into_inner())
            }
        };
        let broken = || CallError::new(Code::Unavailable, "the server ended the stream before its last message");
        stream.message().await?.ok_or_else(broken)
    }

    async fn pause_after(&mut self, error: CallError) -> Result<()> {
        self.stream = None;
        self.failures += 1;
        match self.retry.backoff(self.failures, &error, rand::random()) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(error.into()),
        }
        Ok(())
    }
}
