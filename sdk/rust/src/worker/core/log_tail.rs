//! The newest unacknowledged log records of an attempt. When there are too many, only the oldest are dropped.

use std::collections::VecDeque;

use super::limits::MAX_LOG_BYTES;
use crate::v1;

/// A record, cut to the maximum size. A dropped record leaves a gap in the numbers.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub record: v1::LogRecord,
    /// Its approximate size in a message.
    pub bytes: usize,
}

#[derive(Debug, Default)]
pub(crate) struct LogTail {
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl LogTail {
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number of the newest record; 0 when there is none.
    pub fn last_sequence(&self) -> i64 {
        self.lines.back().map_or(0, |line| line.record.sequence)
    }

    pub fn add(&mut self, line: LogLine) {
        self.bytes += line.bytes;
        self.lines.push_back(line);
        while self.bytes > MAX_LOG_BYTES && self.lines.len() > 1 {
            self.drop_oldest();
        }
    }

    /// Removes the records that have arrived.
    pub fn confirm(&mut self, sequence: i64) {
        while self.lines.front().is_some_and(|line| line.record.sequence <= sequence) {
            self.drop_oldest();
        }
    }

    /// Removes and returns all records.
    pub fn take(&mut self) -> Vec<LogLine> {
        self.bytes = 0;
        self.lines.drain(..).collect()
    }

    pub fn messages(&self) -> Vec<v1::LogRecord> {
        self.lines.iter().map(|line| line.record.clone()).collect()
    }

    fn drop_oldest(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.bytes -= line.bytes;
        }
    }
}
