//! The slots in which handlers run. They belong to the worker and outlive its sessions.

use std::sync::Arc;

use super::held::HeldId;
use super::start_gate::StartGate;
use super::{Millis, NEVER};
use crate::worker::stop_reason::StopReason;

/// Number of a slot. The slot stays taken until its handler has returned.
pub(crate) type Slot = usize;

/// A handler that has received its attempt and has not returned yet.
#[derive(Debug)]
pub(crate) struct Execution {
    pub slot: Slot,
    pub gate: Arc<StartGate>,
    /// When its run timeout is reached.
    pub timeout_at: Millis,
    /// The time that the handler has requested beyond its run timeout.
    pub extension: Millis,
    /// When the run timeout is reported even if the handler has not returned; set when the timeout is signalled.
    pub grace_at: Millis,
    pub stopped: Option<StopReason>,
    /// Its attempt. None once the attempt was given up; the handler's result is dropped then.
    pub held: Option<HeldId>,
}

#[derive(Debug)]
pub(crate) struct SlotTable {
    /// Maximum number of concurrent handlers.
    slots: usize,
    taken: Vec<Option<Execution>>,
    vacant: Vec<Slot>,
    busy: usize,
}

impl SlotTable {
    pub fn new(slots: usize) -> Self {
        Self { slots, taken: Vec::new(), vacant: Vec::new(), busy: 0 }
    }

    pub fn set_slots(&mut self, slots: usize) {
        self.slots = slots;
    }

    /// Slots without a handler. A handler that was asked to stop and has not returned still occupies its slot.
    pub fn free(&self) -> usize {
        self.slots.saturating_sub(self.busy)
    }

    pub fn take(&mut self, held: HeldId, timeout_at: Millis) -> &Execution {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.taken.push(None);
            self.taken.len() - 1
        });
        self.busy += 1;
        self.taken[slot].insert(Execution {
            slot,
            gate: Arc::new(StartGate::default()),
            timeout_at,
            extension: 0,
            grace_at: NEVER,
            stopped: None,
            held: Some(held),
        })
    }

    pub fn get(&self, slot: Slot) -> Option<&Execution> {
        self.taken.get(slot)?.as_ref()
    }

    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Execution> {
        self.taken.get_mut(slot)?.as_mut()
    }

    /// Frees the slot of a handler that has returned or was never entered.
    pub fn release(&mut self, slot: Slot) -> Option<Execution> {
        let execution = self.taken.get_mut(slot)?.take()?;
        self.vacant.push(slot);
        self.busy -= 1;
        Some(execution)
    }

    /// The handlers that have an attempt, with their slots.
    pub fn working(&self) -> Vec<(Slot, HeldId)> {
        self.taken.iter().flatten().filter_map(|execution| Some((execution.slot, execution.held?))).collect()
    }
}
