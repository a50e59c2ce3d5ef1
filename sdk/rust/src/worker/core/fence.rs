//! The time until which the worker may rely on its lease.

use super::Millis;
use super::limits::{FENCE_MARGIN, USUAL_LEASE};

/// The lease counts from the *sending* of the last answered heartbeat: the server renewed it at some time after that,
/// so the worker's fence always passes before the server's.
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

    /// The time at which it passes.
    pub fn at(&self) -> Millis {
        self.at
    }

    pub fn passed(&self, now: Millis) -> bool {
        now >= self.at
    }

    /// A heartbeat that was sent at `sent_at` was answered. A late answer never moves the fence back.
    pub fn extend(&mut self, sent_at: Millis) {
        self.at = self.at.max(sent_at + self.valid);
    }
}
