//! The key of an attempt in the tables of the core.

use uuid::Uuid;

/// One attempt of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AttemptKey {
    pub job_id: Uuid,
    pub attempt: i32,
}

impl AttemptKey {
    /// None: the bytes are no UUID.
    pub fn new(job_id: &[u8], attempt: i32) -> Option<Self> {
        let job_id = Uuid::from_slice(job_id).ok()?;
        Some(Self { job_id, attempt })
    }
}
