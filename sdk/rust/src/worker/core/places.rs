//! The places in which handlers run. They belong to the worker and outlive its sessions.

use std::sync::Arc;

use super::held::HeldId;
use super::start_gate::StartGate;
use super::{Millis, NEVER};
use crate::worker::stop_reason::StopReason;

/// Number of a place. It stays taken until its handler has returned.
pub(crate) type Place = usize;

/// A handler that was handed its attempt and has not returned yet.
#[derive(Debug)]
pub(crate) struct Execution {
    pub place: Place,
    pub gate: Arc<StartGate>,
    /// When its run timeout is reached.
    pub timeout_at: Millis,
    /// What of it the handler has asked for beyond its run timeout.
    pub extension: Millis,
    /// After the signal of the run timeout: when it is reported even though the handler has not returned.
    pub grace_at: Millis,
    pub stopped: Option<StopReason>,
    /// The attempt that it works for. None once the attempt was given up: what the handler then returns is dropped.
    pub held: Option<HeldId>,
}

#[derive(Debug)]
pub(crate) struct Places {
    slots: usize,
    taken: Vec<Option<Execution>>,
    vacant: Vec<Place>,
    busy: usize,
}

impl Places {
    pub fn new(slots: usize) -> Self {
        Self { slots, taken: Vec::new(), vacant: Vec::new(), busy: 0 }
    }

    pub fn set_slots(&mut self, slots: usize) {
        self.slots = slots;
    }

    /// Slots without a handler. One that was told to stop and has not returned still has its slot.
    pub fn free(&self) -> usize {
        self.slots.saturating_sub(self.busy)
    }

    pub fn take(&mut self, held: HeldId, timeout_at: Millis) -> &Execution {
        let place = self.vacant.pop().unwrap_or_else(|| {
            self.taken.push(None);
            self.taken.len() - 1
        });
        self.busy += 1;
        self.taken[place].insert(Execution {
            place,
            gate: Arc::new(StartGate::default()),
            timeout_at,
            extension: 0,
            grace_at: NEVER,
            stopped: None,
            held: Some(held),
        })
    }

    pub fn get(&self, place: Place) -> Option<&Execution> {
        self.taken.get(place)?.as_ref()
    }

    pub fn get_mut(&mut self, place: Place) -> Option<&mut Execution> {
        self.taken.get_mut(place)?.as_mut()
    }

    /// The handler in `place` has returned, or never was entered.
    pub fn release(&mut self, place: Place) -> Option<Execution> {
        let execution = self.taken.get_mut(place)?.take()?;
        self.vacant.push(place);
        self.busy -= 1;
        Some(execution)
    }

    /// The places of handlers that work for an attempt.
    pub fn working(&self) -> Vec<(Place, HeldId)> {
        self.taken.iter().flatten().filter_map(|execution| Some((execution.place, execution.held?))).collect()
    }
}
