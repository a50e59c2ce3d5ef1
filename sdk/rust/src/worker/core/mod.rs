//! The worker's side of the protocol without any I/O: it has no clock, no network and no randomness of its own. Methods
//! pass in events and the current time; the core returns actions as [`Effect`]s.

pub(crate) mod acceptance;
pub(crate) mod applier;
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
pub(crate) mod report_batches;
pub(crate) mod reports;
pub(crate) mod session;
pub(crate) mod session_core;
pub(crate) mod slot_table;
pub(crate) mod start_gate;
pub(crate) mod stats;
pub(crate) mod updates;
pub(crate) mod wish;

#[cfg(test)]
mod tests;

/// Monotonic milliseconds since some moment before the worker started.
pub(crate) type Millis = u64;

/// A time that never comes.
pub(crate) const NEVER: Millis = Millis::MAX;
