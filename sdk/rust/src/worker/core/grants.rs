//! Decides which credits a call grants and which it voids, and what becomes of them when the call fails.

use std::collections::BTreeSet;

use super::Millis;
use super::completion_rate::CompletionRate;
use super::credits::Credits;
use super::held::HeldList;
use super::limits::{MAX_HELD, MAX_PREFETCH};
use super::places::Places;
use crate::v1;

/// What one call says about credits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub credits: Vec<v1::Credit>,
    pub voided: Vec<u64>,
}

/// What the next credit is made of.
pub(crate) struct Supply<'a> {
    pub held: &'a HeldList,
    pub places: &'a Places,
    pub rate: &'a mut CompletionRate,
}

#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub credits: Credits,
    /// Voids that no answered call has carried yet.
    unsaid: BTreeSet<u64>,
}

impl Grants {
    /// Takes back everything that is not spent, to be said with the next call.
    pub fn void_all(&mut self) {
        self.unsaid.extend(self.credits.void_all());
    }

    /// At a heartbeat: credits that end soon are replaced.
    pub fn renew(&mut self, now: Millis) {
        self.unsaid.extend(self.credits.void_aging(now));
    }

    /// What the next call says. The life of what it grants begins here, before the sending. Without `supply` it grants none.
    pub fn compose(&mut self, now: Millis, supply: Option<Supply<'_>>) -> Terms {
        self.credits.expire(now);
        let voided = self.unsaid.iter().copied().collect();
        let credits = supply.and_then(|supply| self.grant(now, supply)).into_iter().collect();
        Terms { credits, voided }
    }

    /// The call was answered: what it said needs no repeat.
    pub fn answered(&mut self, terms: &Terms) {
        for id in &terms.voided {
            self.unsaid.remove(id);
        }
    }

    /// The call failed, and nobody knows whether its credits were parked. They are void: a fresh one, with its whole life
    /// ahead, takes their place.
    pub fn failed(&mut self, terms: Terms) {
        for credit in terms.credits {
            if self.credits.void(credit.credit_id) {
                self.unsaid.insert(credit.credit_id);
            }
        }
        // A credit that has ended needs no voiding; forgetting those bounds the list while no call gets through.
        let credits = &self.credits;
        self.unsaid.retain(|id| credits.remembers(*id));
    }

    fn grant(&mut self, now: Millis, supply: Supply<'_>) -> Option<v1::Credit> {
        let Supply { held, places, rate } = supply;
        let room = MAX_HELD.saturating_sub(held.len() + self.credits.slots() + self.credits.prefetch());
        let slots = room.min(places.free().saturating_sub(self.credits.slots()));
        let depth = MAX_PREFETCH.min(rate.recent(now));
        let line = held.waiting() + self.credits.prefetch();
        let prefetch = (room - slots).min(depth.saturating_sub(line));
        (slots + prefetch > 0).then(|| self.credits.grant(slots, prefetch, now))
    }
}
