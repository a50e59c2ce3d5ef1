//! Why a handler is asked to stop.

use std::fmt;

/// Why a handler is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The job was cancelled.
    Cancelled,
    /// The handler has exceeded its run timeout.
    RunTimeout,
    /// The worker can't prove that it still owns the attempt.
    LeaseLost,
    /// The worker shuts down.
    Shutdown,
}

impl fmt::Display for StopReason {
    /// `cancelled`, `run_timeout`, `lease_lost` or `shutdown`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            StopReason::Cancelled => "cancelled",
            StopReason::RunTimeout => "run_timeout",
            StopReason::LeaseLost => "lease_lost",
            StopReason::Shutdown => "shutdown",
        })
    }
}
