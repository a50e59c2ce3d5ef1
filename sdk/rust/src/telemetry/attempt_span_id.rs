//! Ids of the control plane's spans, which are derived from job and attempt.

use opentelemetry::trace::SpanId;
use uuid::Uuid;

/// The id of the control plane's span of an attempt: 64-bit FNV-1a of the job's id, the attempt's number as 4
/// big-endian bytes, and the word "attempt".
pub(crate) fn attempt_span_id(job_id: &Uuid, attempt: i32) -> SpanId {
    let number = attempt.to_be_bytes();
    let bytes = job_id.as_bytes().iter().chain(&number).chain(b"attempt");
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    SpanId::from_bytes(hash.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_that_the_control_plane_makes() {
        let job_id = Uuid::from_bytes(std::array::from_fn(|at| at as u8));
        assert_eq!(attempt_span_id(&job_id, 3).to_string(), "12513cd0f5061cd5");
    }
}
