//! Delays the report of a failed attempt until a heartbeat has carried its last checkpoint: the report closes the
//! attempt, and a closed attempt accepts no checkpoint.

use super::held::{HeldId, HeldList};
use super::limits::CHECKPOINT_TRIES;
use super::outcome::Outcome;

#[derive(Debug)]
struct HeldBack {
    held: HeldId,
    outcome: Outcome,
    /// The first heartbeat that can carry the checkpoint.
    beat: u64,
    /// Failed heartbeats that could carry it.
    failures: u32,
}

#[derive(Debug, Default)]
pub(crate) struct CheckpointGate {
    beats: u64,
    held_back: Vec<HeldBack>,
}

impl CheckpointGate {
    /// Numbers a heartbeat that is about to be sent.
    pub fn beat_sent(&mut self) -> u64 {
        self.beats += 1;
        self.beats
    }

    /// Returns the outcome if it may be reported now; otherwise keeps it. A success needs no checkpoint.
    pub fn pass(&mut self, held: &HeldList, id: HeldId, outcome: Outcome) -> Option<Outcome> {
        let retried = matches!(outcome, Outcome::Failure(_) | Outcome::Aborted(_) | Outcome::Suspended(_));
        if !retried || !has_checkpoint(held, id) {
            return Some(outcome);
        }
        self.held_back.push(HeldBack { held: id, outcome, beat: self.beats + 1, failures: 0 });
        None
    }

    /// A heartbeat is over. Returns the reports that may be sent now: their checkpoint was delivered, or too many
    /// heartbeats have failed.
    pub fn beat_over(&mut self, held: &HeldList, beat: u64, delivered: bool) -> Vec<(HeldId, Outcome)> {
        if !delivered {
            for one in self.held_back.iter_mut().filter(|one| one.beat <= beat) {
                one.failures += 1;
            }
        }
        let goes = |one: &HeldBack| !has_checkpoint(held, one.held) || one.failures >= CHECKPOINT_TRIES;
        let (going, staying) = std::mem::take(&mut self.held_back).into_iter().partition(goes);
        self.held_back = staying;
        let going: Vec<HeldBack> = going;
        going.into_iter().map(|one| (one.held, one.outcome)).collect()
    }
}

fn has_checkpoint(held: &HeldList, id: HeldId) -> bool {
    held.get(id).is_some_and(|held| held.update.has_checkpoint())
}
