//! Decides once whether a handler is entered or withdrawn; the first caller wins.

use std::sync::atomic::{AtomicU8, Ordering};

const PENDING: u8 = 0;
const ENTERED: u8 = 1;
const WITHDRAWN: u8 = 2;

/// Stands between the session and a handler on another thread: an attempt that was not entered can be taken back at
/// once, and then never starts.
#[derive(Debug, Default)]
pub(crate) struct StartGate(AtomicU8);

impl StartGate {
    /// False: the attempt was taken back and must not start.
    pub fn enter(&self) -> bool {
        self.decide(ENTERED)
    }

    /// True: the handler was not entered and never will be.
    pub fn withdraw(&self) -> bool {
        self.decide(WITHDRAWN)
    }

    pub fn is_entered(&self) -> bool {
        self.0.load(Ordering::Acquire) == ENTERED
    }

    fn decide(&self, to: u8) -> bool {
        self.0.compare_exchange(PENDING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
