//! Facts that the core reads from a failed call.

use tonic::Code;

use super::Millis;
use crate::error::CallError;

/// The session is closed: stop everything and open a new one.
pub(crate) fn is_lease_lost(failure: &CallError) -> bool {
    failure.code == Code::FailedPrecondition && failure.reason == "LEASE_LOST"
}

/// The control plane could not be reached, or asks to repeat the call later.
pub(crate) fn is_transient(failure: &CallError) -> bool {
    match failure.code {
        Code::Unavailable | Code::DeadlineExceeded => true,
        Code::ResourceExhausted => failure.retry_delay.is_some(),
        _ => false,
    }
}

/// The same OpenSession would be refused again.
pub(crate) fn is_fatal(failure: &CallError) -> bool {
    matches!(
        failure.code,
        Code::InvalidArgument
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Unimplemented
            | Code::Unauthenticated
    )
}

/// 0: the server requested no delay.
pub(crate) fn retry_delay(failure: &CallError) -> Millis {
    failure.retry_delay.map_or(0, |delay| delay.as_millis().min(u128::from(u32::MAX)) as Millis)
}
