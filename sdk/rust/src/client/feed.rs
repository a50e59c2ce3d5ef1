//! Items that arrive one by one.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};

use crate::error::Result;

/// Items that arrive one by one: the states of a watched job, or log records. It is a `Stream`, and has `next` for
/// programs without a streams crate. The first call is made when the first item is requested. An error ends the feed;
/// dropping the feed ends the call.
#[must_use = "nothing is asked for before the first one is wanted"]
pub struct Feed<T>(BoxStream<'static, Result<T>>);

impl<T> Feed<T> {
    pub(super) fn new(stream: impl Stream<Item = Result<T>> + Send + 'static) -> Self {
        Self(stream.boxed())
    }

    /// Waits for the next item. None: there are no more. Dropping this future loses no item.
    ///
    /// # Errors
    /// See the method that created the feed.
    pub async fn next(&mut self) -> Result<Option<T>> {
        self.0.next().await.transpose()
    }
}

impl<T> Stream for Feed<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl<T> std::fmt::Debug for Feed<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Feed").finish_non_exhaustive()
    }
}
