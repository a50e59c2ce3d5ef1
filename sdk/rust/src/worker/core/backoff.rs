//! Waits between repeats of a failed call.

use super::Millis;
use super::call_failure::retry_delay;
use super::limits::MIN_BACKOFF;
use crate::error::CallError;

/// Time until the next try: the delay that the server requests, plus a random wait between half of a limit and the
/// whole. The limit doubles with each failure.
///
/// `failures` counts consecutive failures, this one included; `longest` is the maximum of the limit; `random` is from 0
/// to 1.
pub(crate) fn backoff(failures: u32, failure: &CallError, longest: Millis, random: f64) -> Millis {
    let doublings = failures.saturating_sub(1).min(10);
    let cap = longest.min(MIN_BACKOFF << doublings);
    retry_delay(failure) + (cap as f64 * (0.5 + 0.5 * random)).ceil() as Millis
}
