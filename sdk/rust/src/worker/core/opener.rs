//! Opens a session and retries without limit, unless the server refuses permanently.

use uuid::Uuid;

use super::backoff::backoff;
use super::call_failure::{is_fatal, is_lease_lost};
use super::effect::Effect;
use super::host::Host;
use super::limits::{MAX_BACKOFF, OPEN_REQUEST_LIFE, OPEN_TIMEOUT};
use super::{Millis, NEVER};
use crate::error::CallError;
use crate::worker::v1 as protocol;

#[derive(Debug)]
pub(crate) struct Opener {
    request_id: String,
    /// When the current request was first sent. None: there is none.
    first_sent: Option<Millis>,
    failures: u32,
    due: Millis,
}

impl Default for Opener {
    fn default() -> Self {
        Self { request_id: String::new(), first_sent: None, failures: 0, due: NEVER }
    }
}

impl Opener {
    pub fn due(&self) -> Millis {
        self.due
    }

    /// Opens a new session at `at`.
    pub fn open_at(&mut self, at: Millis) {
        self.first_sent = None;
        self.failures = 0;
        self.due = at;
    }

    pub fn cancel(&mut self) {
        self.due = NEVER;
    }

    pub fn call(&mut self, host: &mut Host, now: Millis) {
        self.due = NEVER;
        // A repeat with the same request id returns the session of a lost answer, but the lease of that session is
        // already running.
        if self.first_sent.is_none_or(|sent| now > sent + OPEN_REQUEST_LIFE) {
            self.first_sent = Some(now);
            self.request_id = Uuid::new_v4().to_string();
        }
        let request = protocol::OpenSessionRequest { request_id: self.request_id.clone(), ..host.offer.clone() };
        host.emit(Effect::Open { request, timeout: OPEN_TIMEOUT });
    }

    /// The time of the first call: the lease of the opened session began at some time after it.
    pub fn opened_at(&self, now: Millis) -> Millis {
        self.first_sent.unwrap_or(now)
    }

    /// Schedules another try. Returns an error if the server would refuse it again.
    pub fn failed(&mut self, host: &mut Host, now: Millis, failure: CallError) -> Result<(), CallError> {
        if is_lease_lost(&failure) {
            // The session of an answer that never arrived has lapsed meanwhile: request a new one.
            self.first_sent = None;
        } else if is_fatal(&failure) {
            return Err(failure);
        }
        self.failures += 1;
        let wait = backoff(self.failures, &failure, MAX_BACKOFF, host.random());
        host.warn(format!("the session could not be opened yet, again in {wait} ms: {failure}"));
        self.due = now + wait;
        Ok(())
    }
}
