//! Until when the worker may believe that its lease holds.

use super::Millis;
use super::limits::{FENCE_MARGIN, USUAL_LEASE};

/// The lease counts from the *sending* of the last answered heartbeat: the server renewed it at some time after that, so the
/// worker's fence always falls before the server's.
#[derive(Debug)]
pub(crate) struct Fence {
    valid: Millis,
    at: Millis,
}

impl Fence {
    pub fn new(opened_at: Millis, lease: Millis) -> Self {
        let margin = FENCE_MARGIN.min((lease * FENCE_MARGIN).div_ceil(USUAL_LEASE));
        let valid = lease - margin;
        Self { valid, at: opened_at + valid }
    }

    /// When it falls.
    pub fn at(&self) -> Millis {
        self.at
    }

    pub fn passed(&self, now: Millis) -> bool {
        now >= self.at
    }

    /// A heartbeat that was sent at `sent_at` has been answered well. Late answers set nothing back.
    pub fn extend(&mut self, sent_at: Millis) {
        self.at = self.at.max(sent_at + self.valid);
    }
}
