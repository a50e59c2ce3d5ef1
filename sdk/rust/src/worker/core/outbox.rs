//! Takes the outcome of an attempt and queues its report.

use super::checkpoint_gate::CheckpointGate;
use super::held::{HeldId, HeldList};
use super::outcome::Outcome;
use super::report_batches::PendingReport;
use super::reports::Reports;
use super::updates::Updates;
use crate::worker::v1 as protocol;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub reports: Reports,
    gate: CheckpointGate,
    beat_wanted: bool,
}

impl Outbox {
    /// Queues the report that closes an attempt.
    pub fn add(&mut self, held: &HeldList, updates: &mut Updates, id: HeldId, outcome: Outcome) {
        match self.gate.pass(held, id, outcome) {
            Some(outcome) => self.queue(held, updates, id, outcome),
            None => self.beat_wanted = true,
        }
    }

    /// Whether a heartbeat is needed soon, because a report waits for its checkpoint to be carried. Returns true once.
    pub fn wants_beat(&mut self) -> bool {
        std::mem::take(&mut self.beat_wanted)
    }

    /// Numbers a heartbeat that is about to be sent.
    pub fn beat_sent(&mut self) -> u64 {
        self.gate.beat_sent()
    }

    /// A heartbeat is over: reports that waited for it may be sent.
    pub fn beat_over(&mut self, held: &HeldList, updates: &mut Updates, beat: u64, delivered: bool) {
        for (id, outcome) in self.gate.beat_over(held, beat, delivered) {
            self.queue(held, updates, id, outcome);
        }
    }

    fn queue(&mut self, held: &HeldList, updates: &mut Updates, id: HeldId, outcome: Outcome) {
        updates.drop(id);
        if let Some(held) = held.get(id) {
            let report = protocol::AttemptReport {
                job_id: held.job_id.clone(),
                attempt: held.key.attempt,
                outcome: Some(outcome),
                logs: held.logs.messages(),
            };
            self.reports.add(PendingReport::new(id, report));
        }
    }
}
