//! Opens a session, however long it takes, unless the server says that it never will.

use uuid::Uuid;

use super::backoff::backoff;
use super::call_failure::{is_fatal, is_lease_lost};
use super::effect::Effect;
use super::host::Host;
use super::limits::{MAX_BACKOFF, OPEN_REQUEST_LIFE, OPEN_TIMEOUT};
use super::{Millis, NEVER};
use crate::error::CallError;
use crate::v1;

#[derive(Debug)]
pub(crate) struct Opener {
    request_id: String,
    /// When the present request was sent first. None: there is none.
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

    /// Asks for a new session at `at`.
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
        // A repeat under the same id finds the session that a lost answer told of; but its lease is running since then.
        if self.first_sent.is_none_or(|sent| now > sent + OPEN_REQUEST_LIFE) {
            self.first_sent = Some(now);
            self.request_id = Uuid::new_v4().to_string();
        }
        let request = v1::OpenSessionRequest { request_id: self.request_id.clone(), ..host.offer.clone() };
        host.emit(Effect::Open { request, timeout: OPEN_TIMEOUT });
    }

    /// The time of the first sending: the lease of the session that was opened began at some time after it.
    pub fn opened_at(&self, now: Millis) -> Millis {
        self.first_sent.unwrap_or(now)
    }

    /// Tries again later. An error: it would be refused again.
    pub fn failed(&mut self, host: &mut Host, now: Millis, failure: CallError) -> Result<(), CallError> {
        if is_lease_lost(&failure) {
            // The session that an earlier answer told of, and which we never heard, has lapsed meanwhile: ask for another.
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
