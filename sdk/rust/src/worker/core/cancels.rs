//! Cancels that overtook their assignments.

use std::collections::{HashMap, VecDeque};

use super::Millis;
use super::attempt_key::AttemptKey;
use super::limits::{CANCEL_MEMORY, MAX_CANCELS};

#[derive(Debug, Default)]
pub(crate) struct Cancels {
    forget_at: HashMap<AttemptKey, Millis>,
    /// In order of arrival, which is also the order of removal. A repeated cancel has two entries.
    order: VecDeque<(AttemptKey, Millis)>,
}

impl Cancels {
    pub fn remember(&mut self, key: AttemptKey, now: Millis) {
        self.forget(now);
        let forget_at = now + CANCEL_MEMORY;
        self.forget_at.insert(key, forget_at);
        self.order.push_back((key, forget_at));
    }

    pub fn has(&self, key: &AttemptKey, now: Millis) -> bool {
        self.forget_at.get(key).is_some_and(|forget_at| now < *forget_at)
    }

    fn forget(&mut self, now: Millis) {
        while let Some((key, forget_at)) = self.order.front().copied() {
            if now < forget_at && self.order.len() < MAX_CANCELS {
                return;
            }
            self.order.pop_front();
            if self.forget_at.get(&key) == Some(&forget_at) {
                self.forget_at.remove(&key);
            }
        }
    }
}
