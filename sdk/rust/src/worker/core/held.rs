//! The attempts that the session holds: accepted or being given back, until their report is acknowledged.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use super::attempt_key::AttemptKey;
use super::log_tail::LogTail;
use super::slot_table::{Slot, SlotTable};
use super::updates::AttemptUpdate;
use super::{Millis, NEVER};
use crate::v1;
use crate::worker::v1 as protocol;

/// Number of an entry, increasing. An attempt that was removed and is accepted again has a new entry.
pub(crate) type HeldId = u64;

/// `Waiting` for a slot → `Running` → `Closing` while its report is pending. A release starts in `Closing`. The entry
/// is removed when the server has acknowledged the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Running,
    Closing,
}

#[derive(Debug)]
pub(crate) struct Held {
    pub key: AttemptKey,
    pub job_id: Bytes,
    /// Its handler continues when the lease can't be proved.
    pub continues: bool,
    pub phase: Phase,
    /// Set while the attempt waits.
    assignment: Option<protocol::Assignment>,
    /// When a waiting attempt is given back.
    pub expire_at: Millis,
    /// The slot of its handler while it runs.
    pub slot: Option<Slot>,
    /// Whether a handler was entered. It is set when that handler's attempt is closed.
    pub started: bool,
    /// What its handler has reported.
    pub update: AttemptUpdate,
    /// Log records that no acknowledged heartbeat has carried.
    pub logs: LogTail,
}

#[derive(Debug, Default)]
pub(crate) struct HeldList {
    entries: BTreeMap<HeldId, Held>,
    by_key: HashMap<AttemptKey, HeldId>,
    line: VecDeque<HeldId>,
    waiting: usize,
    last_id: HeldId,
}

impl HeldList {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Attempts that wait for a slot.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    pub fn find(&self, key: &AttemptKey) -> Option<HeldId> {
        self.by_key.get(key).copied()
    }

    pub fn get(&self, id: HeldId) -> Option<&Held> {
        self.entries.get(&id)
    }

    pub fn get_mut(&mut self, id: HeldId) -> Option<&mut Held> {
        self.entries.get_mut(&id)
    }

    pub fn add(&mut self, key: AttemptKey, assignment: &protocol::Assignment) -> HeldId {
        self.last_id += 1;
        let held = Held {
            key,
            // A copy: the received bytes are a slice of a whole message, which would stay in memory as long as the
            // attempt.
            job_id: Bytes::copy_from_slice(&assignment.job_id),
            continues: assignment.lease_loss_action() == v1::LeaseLossAction::Continue,
            phase: Phase::Closing,
            assignment: None,
            expire_at: NEVER,
            slot: None,
            started: false,
            update: AttemptUpdate::default(),
            logs: LogTail::default(),
        };
        self.entries.insert(self.last_id, held);
        self.by_key.insert(key, self.last_id);
        self.last_id
    }

    pub fn wait(&mut self, id: HeldId, assignment: protocol::Assignment, expire_at: Millis) {
        if let Some(held) = self.entries.get_mut(&id) {
            held.phase = Phase::Waiting;
            held.assignment = Some(assignment);
            held.expire_at = expire_at;
            self.line.push_back(id);
            self.waiting += 1;
        }
    }

    /// Removes an attempt from the line, to be started or given back.
    pub fn leave_line(&mut self, id: HeldId) -> Option<protocol::Assignment> {
        let held = self.entries.get_mut(&id)?;
        let assignment = held.assignment.take()?;
        held.phase = Phase::Closing;
        self.waiting -= 1;
        Some(assignment)
    }

    /// The attempt that has waited longest, and until when it may wait.
    pub fn first_waiting(&mut self) -> Option<(HeldId, Millis)> {
        while let Some(id) = self.line.front() {
            match self.entries.get(id) {
                Some(held) if held.phase == Phase::Waiting => return Some((*id, held.expire_at)),
                _ => self.line.pop_front(),
            };
        }
        None
    }

    pub fn remove(&mut self, id: HeldId) {
        if let Some(held) = self.entries.remove(&id)
            && self.by_key.get(&held.key) == Some(&id)
        {
            self.by_key.remove(&held.key);
        }
    }

    /// The attempts without a pending report.
    pub fn open(&self) -> Vec<HeldId> {
        self.entries.iter().filter(|(_, held)| held.phase != Phase::Closing).map(|(id, _)| *id).collect()
    }

    /// The held attempts for a heartbeat.
    pub fn list(&self, slot_table: &SlotTable) -> Vec<protocol::HeldAttempt> {
        let started = |held: &Held| match held.slot.and_then(|slot| slot_table.get(slot)) {
            Some(execution) => execution.gate.is_entered(),
            None => held.started,
        };
        self.entries
            .values()
            .map(|held| protocol::HeldAttempt {
                job_id: held.job_id.clone(),
                attempt: held.key.attempt,
                started: started(held),
            })
            .collect()
    }
}
