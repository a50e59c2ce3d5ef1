//! Helpers for job states.

use crate::v1::JobState;

/// Whether a job in this state never changes again.
pub fn is_terminal(state: JobState) -> bool {
    use JobState::{Cancelled, Expired, Failed, Skipped, Succeeded};
    matches!(state, Succeeded | Failed | Cancelled | Expired | Skipped)
}

/// The state's name, such as `RUNNING`.
pub fn state_name(state: JobState) -> &'static str {
    let name = state.as_str_name();
    name.strip_prefix("JOB_STATE_").unwrap_or(name)
}
