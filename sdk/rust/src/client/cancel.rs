//! How a job is cancelled.

use std::time::Duration;

use crate::duration::duration_to_proto;
use crate::v1;

/// How [`Client::cancel`](crate::Client::cancel) cancels a job. Text is a reason alone.
#[derive(Clone, Debug, Default)]
#[must_use = "a cancel does nothing until a client asks for it"]
pub struct Cancel(pub(super) v1::CancelJobRequest);

impl Cancel {
    /// A cancel that waits for the handler. `reason` is free text of at most 256 characters.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(v1::CancelJobRequest { reason: reason.into(), ..Default::default() })
    }

    /// How long the handler may take to stop, at most an hour. Zero: a job that runs is CANCELLED at once, and what its
    /// handler still reports is refused. Default: `cancel_grace` of the definition.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.0.grace = Some(duration_to_proto(grace));
        self
    }
}

impl From<&str> for Cancel {
    fn from(reason: &str) -> Self {
        Self::new(reason)
    }
}

impl From<String> for Cancel {
    fn from(reason: String) -> Self {
        Self::new(reason)
    }
}

impl From<&String> for Cancel {
    fn from(reason: &String) -> Self {
        Self::new(reason)
    }
}
