//! State that outlives the sessions of a worker, and the list of requested effects.

use super::completion_rate::CompletionRate;
use super::effect::Effect;
use super::slot_table::SlotTable;
use super::stats::Stats;
use crate::worker::v1 as protocol;
use crate::worker::worker_event::WorkerEvent;

/// Returns random numbers from 0 up to but not including 1.
pub(crate) type Random = Box<dyn FnMut() -> f64 + Send>;

pub(crate) struct Host {
    /// The worker's description when it opens a session.
    pub offer: protocol::OpenSessionRequest,
    pub slot_table: SlotTable,
    pub rate: CompletionRate,
    pub stats: Stats,
    pub draining: bool,
    pub effects: Vec<Effect>,
    random: Random,
}

impl Host {
    pub fn new(offer: protocol::OpenSessionRequest, random: Random) -> Self {
        Self {
            slot_table: SlotTable::new(offer.slots as usize),
            offer,
            rate: CompletionRate::default(),
            stats: Stats::default(),
            draining: false,
            effects: Vec::new(),
            random,
        }
    }

    pub fn random(&mut self) -> f64 {
        (self.random)()
    }

    /// Whether there is a handler for this version of a definition.
    pub fn supports(&self, name: &str, version: i32) -> bool {
        self.offer.handlers.iter().any(|handler| {
            handler.name == name
                && version >= handler.min_version
                && (handler.max_version == 0 || version <= handler.max_version)
        })
    }

    pub fn emit(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub fn event(&mut self, event: WorkerEvent) {
        self.emit(Effect::Event(event));
    }

    pub fn warn(&mut self, message: String) {
        self.emit(Effect::Warn(message));
    }

    pub fn error(&mut self, message: String) {
        self.emit(Effect::Error(message));
    }
}
