//! Progress, checkpoints and log records that no heartbeat has carried yet.

use std::collections::{BTreeMap, HashMap};

use super::Millis;
use super::held::{Held, HeldId, HeldList};
use super::limits::{MAX_UPDATE_BYTES, MAX_UPDATES};
use super::log_tail::LogLine;
use crate::duration::to_proto;
use crate::v1;
use crate::worker::v1 as protocol;

/// The newest update of one attempt. Each change increases the sequence, so that a late heartbeat does not overwrite a
/// newer one.
#[derive(Debug, Default)]
pub(crate) struct AttemptUpdate {
    sequence: i64,
    /// The newest sequence that an answered heartbeat has carried.
    delivered: i64,
    progress: Option<v1::Progress>,
    /// None once a heartbeat that carried it was answered.
    checkpoint: Option<v1::Payload>,
    /// Total time that the handler has requested beyond its run timeout; 0: none.
    extension: Millis,
}

impl AttemptUpdate {
    pub fn has_checkpoint(&self) -> bool {
        self.checkpoint.is_some()
    }

    fn has_changes(&self) -> bool {
        self.sequence > self.delivered
    }
}

/// The content of one heartbeat and its attempts, so that the answer can be matched.
#[derive(Debug, Default)]
pub(crate) struct SentUpdates {
    attempts: Vec<SentUpdate>,
}

#[derive(Debug)]
struct SentUpdate {
    held: HeldId,
    sequence: i64,
    logged: i64,
}

const MESSAGE_BYTES: usize = 400;

#[derive(Debug, Default)]
pub(crate) struct Updates {
    /// Attempts with changes, in the order of their turns.
    changed: BTreeMap<u64, HeldId>,
    turns: HashMap<HeldId, u64>,
    last_turn: u64,
}

impl Updates {
    pub fn pending(&self) -> bool {
        !self.changed.is_empty()
    }

    pub fn progress(&mut self, held: &mut HeldList, id: HeldId, progress: v1::Progress) {
        self.change(held, id, |update| update.progress = Some(progress));
    }

    pub fn checkpoint(&mut self, held: &mut HeldList, id: HeldId, checkpoint: v1::Payload) {
        self.change(held, id, |update| update.checkpoint = Some(checkpoint));
    }

    pub fn extend_run_timeout(&mut self, held: &mut HeldList, id: HeldId, extension: Millis) {
        self.change(held, id, |update| update.extension = extension);
    }

    pub fn log(&mut self, held: &mut HeldList, id: HeldId, lines: Vec<LogLine>) {
        if let Some(held) = held.get_mut(id) {
            lines.into_iter().for_each(|line| held.logs.add(line));
            self.await_turn(id);
        }
    }

    /// The changes that fit into one heartbeat, and always at least the first one.
    pub fn collect(&self, held: &HeldList) -> (Vec<protocol::ProgressUpdate>, SentUpdates) {
        let mut messages = Vec::new();
        let mut sent = SentUpdates::default();
        let mut bytes = 0;
        for id in self.changed.values() {
            let Some(held) = held.get(*id) else { continue };
            let checkpoint = held.update.checkpoint.as_ref();
            bytes += MESSAGE_BYTES + checkpoint.map_or(0, |it| it.data.len()) + held.logs.bytes();
            if (bytes > MAX_UPDATE_BYTES || messages.len() >= MAX_UPDATES) && !messages.is_empty() {
                break;
            }
            sent.attempts.push(SentUpdate {
                held: *id,
                sequence: held.update.sequence,
                logged: held.logs.last_sequence(),
            });
            messages.push(message_of(held));
        }
        (messages, sent)
    }

    /// A heartbeat was answered: values that have not changed since are not sent again.
    pub fn delivered(&mut self, held: &mut HeldList, sent: SentUpdates) {
        for SentUpdate { held: id, sequence, logged } in sent.attempts {
            let awaited = self.drop(id);
            let Some(held) = held.get_mut(id) else { continue };
            held.logs.confirm(logged);
            if held.update.sequence == sequence {
                held.update.delivered = sequence;
                held.update.checkpoint = None;
            }
            // An attempt that has changed meanwhile comes after those that have not had their turn yet.
            if awaited && (held.update.has_changes() || !held.logs.is_empty()) {
                self.await_turn(id);
            }
        }
    }

    /// The attempt is over: its pending update is dropped, and its log is sent with its report. True if there was an
    /// update.
    pub fn drop(&mut self, id: HeldId) -> bool {
        let turn = self.turns.remove(&id);
        turn.is_some_and(|turn| self.changed.remove(&turn).is_some())
    }

    fn change(&mut self, held: &mut HeldList, id: HeldId, change: impl FnOnce(&mut AttemptUpdate)) {
        if let Some(held) = held.get_mut(id) {
            held.update.sequence += 1;
            change(&mut held.update);
            self.await_turn(id);
        }
    }

    fn await_turn(&mut self, id: HeldId) {
        if !self.turns.contains_key(&id) {
            self.last_turn += 1;
            self.turns.insert(id, self.last_turn);
            self.changed.insert(self.last_turn, id);
        }
    }
}

/// If only log records are new, the message carries nothing else.
fn message_of(held: &Held) -> protocol::ProgressUpdate {
    let update = &held.update;
    let changed = update.has_changes();
    protocol::ProgressUpdate {
        job_id: held.job_id.clone(),
        attempt: held.key.attempt,
        sequence: update.sequence,
        progress: update.progress.clone().filter(|_| changed),
        checkpoint: update.checkpoint.clone().filter(|_| changed),
        run_timeout_extension: (changed && update.extension > 0).then(|| to_proto(update.extension)),
        logs: held.logs.messages(),
    }
}
