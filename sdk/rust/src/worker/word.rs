//! What a running handler says of itself.

use super::core::Millis;
use super::core::log_tail::{LogLine, LogTail};
use crate::v1;

#[derive(Clone, Debug)]
pub(crate) enum Word {
    Progress(v1::Progress),
    Checkpoint(v1::Payload),
    /// All that it has asked for beyond its run timeout so far.
    Extension(Millis),
    Log(LogLine),
}

/// Where a running handler says what it has to say.
pub(crate) trait Outlet: Send + Sync {
    fn say(&self, word: Word);
}

/// The newest words that nobody has taken: of a flood of them, no more is kept than is sent.
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
