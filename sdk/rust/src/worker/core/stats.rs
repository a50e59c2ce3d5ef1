//! Counts of what happened, for tests, metrics and people who wonder.

/// What a worker has done so far. The counts only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions opened.
    pub sessions: u64,
    /// Sessions that the server had closed.
    pub sessions_lost: u64,
    /// Attempts accepted.
    pub accepted: u64,
    /// Assignments ignored because the attempt was known.
    pub duplicates: u64,
    /// Assignments ignored because the lease could not be proved, or the held list was full.
    pub ignored: u64,
    /// Attempts given back before their handler was entered.
    pub released: u64,
    /// Handlers stopped because the lease could not be proved.
    pub aborted: u64,
    /// Times that the fence fell.
    pub fences: u64,
    /// Handlers stopped by their run timeout.
    pub timeouts: u64,
    /// Cancels received for running handlers.
    pub cancels: u64,
    /// Reports that the server has acknowledged.
    pub acknowledged: u64,
}
