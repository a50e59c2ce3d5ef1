//! The worker's side of the protocol, apart from all I/O: no clock, no network, no randomness of its own. What happens comes
//! in by methods that are told the time; what is to be done goes out as [`Effect`]s.

pub(crate) mod acceptance;
pub(crate) mod attempt_key;
pub(crate) mod attempts;
pub(crate) mod backoff;
pub(crate) mod beats;
pub(crate) mod bus_link;
pub(crate) mod call_failure;
pub(crate) mod cancels;
pub(crate) mod checkpoint_gate;
pub(crate) mod completion_rate;
pub(crate) mod credits;
pub(crate) mod effect;
pub(crate) mod fence;
pub(crate) mod grants;
pub(crate) mod held;
pub(crate) mod host;
pub(crate) mod limits;
pub(crate) mod log_tail;
pub(crate) mod opener;
pub(crate) mod outbox;
pub(crate) mod outcome;
pub(crate) mod places;
pub(crate) mod report_batches;
pub(crate) mod reports;
pub(crate) mod session;
pub(crate) mod session_core;
pub(crate) mod start_gate;
pub(crate) mod stats;
pub(crate) mod updates;

#[cfg(test)]
mod tests;

/// Monotonic milliseconds since some moment before the worker started.
pub(crate) type Millis = u64;

/// A time that does not come.
pub(crate) const NEVER: Millis = Millis::MAX;
