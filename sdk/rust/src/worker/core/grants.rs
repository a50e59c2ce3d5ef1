//! Decides which credits a call grants and which it voids, and handles them when the call fails.

use std::collections::BTreeSet;

use super::Millis;
use super::completion_rate::CompletionRate;
use super::credits::Credits;
use super::held::HeldList;
use super::limits::{MAX_HELD, MAX_PREFETCH};
use super::slot_table::SlotTable;
use crate::worker::v1 as protocol;

/// The credits that one call grants and voids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub credits: Vec<protocol::Credit>,
    pub voided: Vec<u64>,
}

/// The state from which the next credit is computed.
pub(crate) struct Supply<'a> {
    pub held: &'a HeldList,
    pub slot_table: &'a SlotTable,
    pub rate: &'a mut CompletionRate,
}

#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub credits: Credits,
    /// Voided credits that no answered call has carried yet.
    unsaid: BTreeSet<u64>,
}

impl Grants {
    /// Voids all unspent credits; the next call carries the voids.
    pub fn void_all(&mut self) {
        self.unsaid.extend(self.credits.void_all());
    }

    /// For a heartbeat: replaces credits that end soon.
    pub fn renew(&mut self, now: Millis) {
        self.unsaid.extend(self.credits.void_aging(now));
    }

    /// Returns what the next call grants and voids. The life of a new credit begins here, before the call is sent.
    /// Without `supply` it grants none.
    pub fn compose(&mut self, now: Millis, supply: Option<Supply<'_>>) -> Terms {
        self.credits.expire(now);
        let voided = self.unsaid.iter().copied().collect();
        let credits = supply.and_then(|supply| self.grant(now, supply)).into_iter().collect();
        Terms { credits, voided }
    }

    /// A call was answered: its voids need no repeat.
    pub fn answered(&mut self, terms: &Terms) {
        for id in &terms.voided {
            self.unsaid.remove(id);
        }
    }

    /// A call failed: the server may or may not have stored its credits. They are voided, and a new credit with its
    /// whole life ahead replaces them.
    pub fn failed(&mut self, terms: Terms) {
        for credit in terms.credits {
            if self.credits.void(credit.credit_id) {
                self.unsaid.insert(credit.credit_id);
            }
        }
        // A credit that has ended needs no voiding. Removing it bounds the list while no call succeeds.
        let credits = &self.credits;
        self.unsaid.retain(|id| credits.remembers(*id));
    }

    fn grant(&mut self, now: Millis, supply: Supply<'_>) -> Option<protocol::Credit> {
        let Supply { held, slot_table, rate } = supply;
        let space = MAX_HELD.saturating_sub(held.len() + self.credits.slots() + self.credits.prefetch());
        let slots = space.min(slot_table.free().saturating_sub(self.credits.slots()));
        let depth = MAX_PREFETCH.min(rate.recent(now));
        let line = held.waiting() + self.credits.prefetch();
        let prefetch = (space - slots).min(depth.saturating_sub(line));
        (slots + prefetch > 0).then(|| self.credits.grant(slots, prefetch, now))
    }
}
