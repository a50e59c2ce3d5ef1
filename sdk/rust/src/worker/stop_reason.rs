//! Why a handler is asked to stop.

use std::fmt;

/// Why a handler is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The job was cancelled.
    Cancelled,
    /// The job was paused: the handler may end with [`Context::suspend`](super::Context::suspend), or give up otherwise.
    Suspended,
    /// The handler has exceeded its run timeout.
    RunTimeout,
    /// The worker can't prove that it still owns the attempt.
    LeaseLost,
    /// The worker shuts down.
    Shutdown,
}

impl fmt::Display for StopReason {
    /// `cancelled`, `suspended`, `run_timeout`, `lease_lost` or `shutdown`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            StopReason::Cancelled => "cancelled",
            StopReason::Suspended => "suspended",
            StopReason::RunTimeout => "run_timeout",
            StopReason::LeaseLost => "lease_lost",
            StopReason::Shutdown => "shutdown",
        })
    }
}
