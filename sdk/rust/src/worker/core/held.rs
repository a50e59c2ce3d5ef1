//! The attempts that the session holds: accepted or being given back, until their report is acknowledged.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use super::attempt_key::AttemptKey;
use super::log_tail::LogTail;
use super::places::{Place, Places};
use super::updates::AttemptUpdate;
use super::{Millis, NEVER};
use crate::v1;

/// Number of an entry, rising. An attempt that is let go and taken again is another entry.
pub(crate) type HeldId = u64;

/// `Waiting` for a place → `Running` → `Closing`: its report is on the way. A release goes to `Closing` at once; the entry
/// goes when the server has acknowledged the report.
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
    /// Its handler goes on when the lease can't be proved.
    pub continues: bool,
    pub phase: Phase,
    /// What is to be run, while it waits.
    assignment: Option<v1::Assignment>,
    /// When it has waited too long.
    pub expire_at: Millis,
    /// Where its handler runs, while it does.
    pub place: Option<Place>,
    /// Whether a handler was entered, once that is over.
    pub started: bool,
    /// What its handler said of itself.
    pub update: AttemptUpdate,
    /// What its handler has logged and no acknowledged heartbeat has carried.
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

    /// Attempts that wait for a place.
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

    pub fn add(&mut self, key: AttemptKey, assignment: &v1::Assignment) -> HeldId {
        self.last_id += 1;
        let held = Held {
            key,
            // A copy: the bytes that came are a view of a whole message, which would stay in memory as long as the attempt.
            job_id: Bytes::copy_from_slice(&assignment.job_id),
            continues: assignment.lease_loss_action() == v1::LeaseLossAction::Continue,
            phase: Phase::Closing,
            assignment: None,
            expire_at: NEVER,
            place: None,
            started: false,
            update: AttemptUpdate::default(),
            logs: LogTail::default(),
        };
        self.entries.insert(self.last_id, held);
        self.by_key.insert(key, self.last_id);
        self.last_id
    }

    pub fn wait(&mut self, id: HeldId, assignment: v1::Assignment, expire_at: Millis) {
        if let Some(held) = self.entries.get_mut(&id) {
            held.phase = Phase::Waiting;
            held.assignment = Some(assignment);
            held.expire_at = expire_at;
            self.line.push_back(id);
            self.waiting += 1;
        }
    }

    /// Ends the waiting of an attempt: it is to be started or given back.
    pub fn leave_line(&mut self, id: HeldId) -> Option<v1::Assignment> {
        let held = self.entries.get_mut(&id)?;
        let assignment = held.assignment.take()?;
        held.phase = Phase::Closing;
        self.waiting -= 1;
        Some(assignment)
    }

    /// The attempt that has waited longest, and until when it may.
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

    /// Those whose report is not on the way yet.
    pub fn open(&self) -> Vec<HeldId> {
        self.entries.iter().filter(|(_, held)| held.phase != Phase::Closing).map(|(id, _)| *id).collect()
    }

    /// What a heartbeat lists.
    pub fn list(&self, places: &Places) -> Vec<v1::HeldAttempt> {
        let started = |held: &Held| match held.place.and_then(|place| places.get(place)) {
            Some(execution) => execution.gate.is_entered(),
            None => held.started,
        };
        self.entries
            .values()
            .map(|held| v1::HeldAttempt {
                job_id: held.job_id.clone(),
                attempt: held.key.attempt,
                started: started(held),
            })
            .collect()
    }
}
