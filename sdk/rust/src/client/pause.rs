//! How a job is paused.

use std::time::Duration;

use crate::duration::duration_to_proto;
use crate::v1;

/// How [`Client::pause`](crate::Client::pause) pauses a job. Text is a reason alone.
#[derive(Clone, Debug, Default)]
#[must_use = "a pause does nothing until a client asks for it"]
pub struct Pause(pub(super) v1::PauseJobRequest);

impl Pause {
    /// A pause of a job that waits. `reason` is free text of at most 256 characters.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(v1::PauseJobRequest { reason: reason.into(), ..Default::default() })
    }

    /// Also pauses a job that runs: its handler is asked to stop, and the attempt does not count. Default: such a job is
    /// refused.
    pub fn running(mut self) -> Self {
        self.0.running = true;
        self
    }

    /// How long the handler may take to stop, at most an hour. Default: `cancel_grace` of the definition.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.0.grace = Some(duration_to_proto(grace));
        self
    }

    /// The total timeout stops while the job is paused, and starts anew when it is resumed. Default: it runs on.
    pub fn stop_timeouts(mut self) -> Self {
        self.0.set_timeouts(v1::PausedTimeouts::Stop);
        self
    }
}

impl From<&str> for Pause {
    fn from(reason: &str) -> Self {
        Self::new(reason)
    }
}

impl From<String> for Pause {
    fn from(reason: String) -> Self {
        Self::new(reason)
    }
}

impl From<&String> for Pause {
    fn from(reason: &String) -> Self {
        Self::new(reason)
    }
}
