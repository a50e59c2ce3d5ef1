//! The credits that the session has granted: their unspent permits, their expiry, and the attempts assigned under them.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::Millis;
use super::attempt_key::AttemptKey;
use super::limits::{CREDIT_LIFE, CREDIT_REPLACE_BELOW, MAX_SPENT_CREDITS};
use crate::worker::v1 as protocol;

#[derive(Debug)]
struct LiveCredit {
    expire_at: Millis,
    slots: usize,
    prefetch: usize,
    /// Attempts that named it while it lives, so that none is accepted twice.
    seen: HashSet<AttemptKey>,
}

/// The state of the credit that an assignment names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CreditFacts {
    /// The attempt arrived before, and the credit is still alive.
    pub seen: bool,
    /// The credit is alive and has an unspent permit of the kind.
    pub unspent: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Credits {
    /// By id. All credits live equally long, so the order of ids is the order of expiry.
    by_id: BTreeMap<u64, LiveCredit>,
    spent: VecDeque<u64>,
    last_id: u64,
    slots: usize,
    prefetch: usize,
}

impl Credits {
    /// Unspent slots of live credits.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Unspent prefetch permits of live credits.
    pub fn prefetch(&self) -> usize {
        self.prefetch
    }

    /// Makes a credit whose life starts now, before it is sent.
    pub fn grant(&mut self, slots: usize, prefetch: usize, now: Millis) -> protocol::Credit {
        self.last_id += 1;
        let credit = LiveCredit { expire_at: now + CREDIT_LIFE, slots, prefetch, seen: HashSet::new() };
        self.by_id.insert(self.last_id, credit);
        self.slots += slots;
        self.prefetch += prefetch;
        protocol::Credit { credit_id: self.last_id, slots: slots as i32, prefetch: prefetch as i32 }
    }

    pub fn facts(&self, id: u64, key: &AttemptKey, prefetch: bool, now: Millis) -> CreditFacts {
        match self.by_id.get(&id) {
            Some(credit) if now < credit.expire_at => CreditFacts {
                seen: credit.seen.contains(key),
                unspent: if prefetch { credit.prefetch > 0 } else { credit.slots > 0 },
            },
            _ => CreditFacts::default(),
        }
    }

    /// Whether the credit may still be stored on the server, as far as the worker knows.
    pub fn remembers(&self, id: u64) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Takes a permit of the kind for `key`, as the server did, and remembers the attempt even if no permit was left.
    /// An expired credit remembers nothing.
    pub fn spend(&mut self, id: u64, key: AttemptKey, prefetch: bool, now: Millis) {
        let Some(credit) = self.by_id.get_mut(&id).filter(|credit| now < credit.expire_at) else {
            return;
        };
        credit.seen.insert(key);
        if prefetch && credit.prefetch > 0 {
            credit.prefetch -= 1;
            self.prefetch -= 1;
        } else if !prefetch && credit.slots > 0 {
            credit.slots -= 1;
            self.slots -= 1;
        } else {
            return;
        }
        if credit.slots + credit.prefetch == 0 {
            self.mark_spent(id);
        }
    }

    /// Voids every credit with unspent permits; returns their ids.
    pub fn void_all(&mut self) -> Vec<u64> {
        self.void_where(|_| true)
    }

    /// Voids unspent credits that end soon, so that the dispatcher never uses a credit that is about to end.
    pub fn void_aging(&mut self, now: Millis) -> Vec<u64> {
        self.void_where(|credit| credit.expire_at < now + CREDIT_REPLACE_BELOW)
    }

    /// Voids one credit; false if it had no unspent permits.
    pub fn void(&mut self, id: u64) -> bool {
        let Some(credit) = self.by_id.get_mut(&id).filter(|credit| credit.slots + credit.prefetch > 0) else {
            return false;
        };
        self.slots -= credit.slots;
        self.prefetch -= credit.prefetch;
        credit.slots = 0;
        credit.prefetch = 0;
        self.mark_spent(id);
        true
    }

    /// Removes the credits that have ended.
    pub fn expire(&mut self, now: Millis) {
        while let Some(entry) = self.by_id.first_entry() {
            if now < entry.get().expire_at {
                return;
            }
            let credit = entry.remove();
            self.slots -= credit.slots;
            self.prefetch -= credit.prefetch;
        }
    }

    fn void_where(&mut self, condition: impl Fn(&LiveCredit) -> bool) -> Vec<u64> {
        if self.slots + self.prefetch == 0 {
            return Vec::new();
        }
        let ids: Vec<u64> = self
            .by_id
            .iter()
            .filter(|(_, credit)| credit.slots + credit.prefetch > 0 && condition(credit))
            .map(|(id, _)| *id)
            .collect();
        for id in &ids {
            self.void(*id);
        }
        ids
    }

    /// Bounds the number of remembered spent credits. Removing one early is harmless: an attempt that named it is
    /// either held, or closed on the server, which then refuses the release of a late duplicate.
    fn mark_spent(&mut self, id: u64) {
        self.spent.push_back(id);
        if self.spent.len() > MAX_SPENT_CREDITS
            && let Some(oldest) = self.spent.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}
