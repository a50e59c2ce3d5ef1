//! Asks a handler to stop, with a reason.

use std::sync::OnceLock;

use tokio_util::sync::CancellationToken;

use super::stop_reason::StopReason;

#[derive(Debug, Default)]
pub(crate) struct Stop {
    token: CancellationToken,
    reason: OnceLock<StopReason>,
}

impl Stop {
    /// The first reason stays.
    pub fn stop(&self, reason: StopReason) {
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    pub fn reason(&self) -> Option<StopReason> {
        self.reason.get().copied()
    }
}
