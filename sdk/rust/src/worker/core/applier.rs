//! Stores the worker's definitions, one after the other, before its first session is opened. Retries without limit
//! while the control plane can't be reached.

use std::collections::VecDeque;

use super::backoff::backoff;
use super::call_failure::is_transient;
use super::effect::Effect;
use super::host::Host;
use super::limits::{APPLY_TIMEOUT, MAX_BACKOFF};
use super::{Millis, NEVER};
use crate::error::CallError;
use crate::v1;

#[derive(Debug)]
pub(crate) struct Applier {
    /// The calls that have not succeeded yet.
    left: VecDeque<v1::ApplyJobDefinitionRequest>,
    failures: u32,
    due: Millis,
}

impl Applier {
    pub fn new(left: Vec<v1::ApplyJobDefinitionRequest>) -> Self {
        Self { left: left.into(), failures: 0, due: NEVER }
    }

    pub fn due(&self) -> Millis {
        self.due
    }

    pub fn cancel(&mut self) {
        self.due = NEVER;
    }

    /// Makes the next call. Returns false if all definitions are stored.
    pub fn call(&mut self, host: &mut Host) -> bool {
        self.due = NEVER;
        let Some(request) = self.left.front() else { return false };
        host.emit(Effect::Apply { request: Box::new(request.clone()), timeout: APPLY_TIMEOUT });
        true
    }

    /// The definition of the last call is stored.
    pub fn applied(&mut self) {
        self.left.pop_front();
        self.failures = 0;
    }

    /// Schedules another try. Returns an error if the server has refused the definition.
    pub fn failed(&mut self, host: &mut Host, now: Millis, mut failure: CallError) -> Result<(), CallError> {
        let definition = self.left.front().and_then(|request| request.definition.as_ref());
        let name = definition.map_or("", |definition| &definition.name);
        if !is_transient(&failure) {
            failure.message = format!("the definition {name:?}: {}", failure.message);
            return Err(failure);
        }
        self.failures += 1;
        let wait = backoff(self.failures, &failure, MAX_BACKOFF, host.random());
        host.warn(format!("the definition {name:?} could not be applied yet, again in {wait} ms: {failure}"));
        self.due = now + wait;
        Ok(())
    }
}
