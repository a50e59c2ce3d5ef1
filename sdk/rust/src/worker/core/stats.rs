//! Counters for tests and metrics.

/// The counters of a worker. They only increase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Opened sessions.
    pub sessions: u64,
    /// Sessions that the server closed.
    pub sessions_lost: u64,
    /// Accepted attempts.
    pub accepted: u64,
    /// Assignments ignored because the attempt was known.
    pub duplicates: u64,
    /// Assignments ignored because the lease could not be proved, or the held list was full.
    pub ignored: u64,
    /// Attempts given back before their handler was entered.
    pub released: u64,
    /// Handlers stopped because the lease could not be proved.
    pub aborted: u64,
    /// How often the lease could no longer be proved.
    pub fences: u64,
    /// Handlers stopped by their run timeout.
    pub timeouts: u64,
    /// Cancels received for running handlers.
    pub cancels: u64,
    /// Acknowledged reports.
    pub acknowledged: u64,
}
