//! What is followed over streams that may break, and is asked for anew where it was left.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream;
use tonic::{Code, Response, Status, Streaming};

use super::calls::Calls;
use super::feed::Feed;
use super::transport_retry::TransportRetry;
use crate::error::{CallError, Result};

/// What a message brings that was not told before, and whether it is the last one.
pub(super) struct News<T> {
    pub items: Vec<T>,
    pub is_over: bool,
}

pub(super) trait Followed: Send + Sync + 'static {
    type Message: Send + 'static;
    type Item: Send + 'static;

    /// Asks for a stream that goes on where the last one was left.
    fn open(&self) -> impl Future<Output = Result<Response<Streaming<Self::Message>>, Status>> + Send;

    /// Reads a message, and notes where to go on.
    fn take(&mut self, message: Self::Message) -> News<Self::Item>;
}

/// Fails with what a stream failed with, if that is worth no repeat, or has come too many times in a row.
pub(super) fn follow<F: Followed>(calls: &Calls, followed: F) -> Feed<F::Item> {
    let follower = Follower {
        followed,
        retry: calls.retry,
        timeout: calls.timeout,
        stream: None,
        told: VecDeque::new(),
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
    /// Longest wait for the beginning of a stream.
    timeout: Duration,
    stream: Option<Streaming<F::Message>>,
    /// Of the last message, those that nobody has taken.
    told: VecDeque<F::Item>,
    is_over: bool,
    /// In a row.
    failures: u32,
}

impl<F: Followed> Follower<F> {
    async fn next(&mut self) -> Result<Option<F::Item>> {
        loop {
            if let Some(item) = self.told.pop_front() {
                return Ok(Some(item));
            }
            if self.is_over {
                return Ok(None);
            }
            match self.message().await {
                Ok(message) => {
                    let news = self.followed.take(message);
                    self.told = news.items.into();
                    self.is_over = news.is_over;
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
        let broken = || CallError::new(Code::Unavailable, "the stream ended before its time");
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
