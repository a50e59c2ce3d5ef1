//! Reports of a running handler.

use super::core::Millis;
use super::core::log_tail::{LogLine, LogTail};
use crate::v1;

#[derive(Clone, Debug)]
pub(crate) enum Word {
    Progress(v1::Progress),
    Checkpoint(v1::Payload),
    /// The total time that it has requested beyond its run timeout.
    Extension(Millis),
    Log(LogLine),
}

/// Receives the reports of a running handler.
pub(crate) trait Outlet: Send + Sync {
    fn say(&self, word: Word);
}

/// The newest reports that were not read yet. Older ones that would not be sent are not kept, so their size is bounded.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub progress: Option<v1::Progress>,
    pub checkpoint: Option<v1::Payload>,
    pub extension: Option<Millis>,
    pub logs: LogTail,
}

impl Words {
    pub fn add(&mut self, word: Word) {
        match word {
            Word::Progress(progress) => self.progress = Some(progress),
            Word::Checkpoint(checkpoint) => self.checkpoint = Some(checkpoint),
            Word::Extension(extension) => self.extension = Some(extension),
            Word::Log(line) => self.logs.add(line),
        }
    }
}
