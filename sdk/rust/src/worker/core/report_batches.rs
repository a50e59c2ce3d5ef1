//! Pending reports, divided into calls that are limited in number and in bytes.

use std::collections::VecDeque;

use super::held::HeldId;
use super::limits::{MAX_REPORT_BYTES, MAX_REPORTS};
use crate::worker::v1 as protocol;

#[derive(Debug)]
pub(crate) struct PendingReport {
    pub held: HeldId,
    pub report: protocol::AttemptReport,
    pub bytes: usize,
}

impl PendingReport {
    pub fn new(held: HeldId, report: protocol::AttemptReport) -> Self {
        let bytes = prost::Message::encoded_len(&report);
        Self { held, report, bytes }
    }
}

#[derive(Debug, Default)]
pub(crate) struct ReportBatches {
    queue: VecDeque<PendingReport>,
    /// Batches that failed, whole or halved. They are sent before everything else.
    again: VecDeque<Vec<PendingReport>>,
    count: usize,
    bytes: usize,
}

impl ReportBatches {
    /// Number of reports that are not in a call at the moment.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn add(&mut self, report: PendingReport) {
        self.count += 1;
        self.bytes += report.bytes;
        self.queue.push_back(report);
    }

    /// Returns a batch, which the next call takes unchanged.
    pub fn put_back(&mut self, batch: Vec<PendingReport>) {
        if batch.is_empty() {
            return;
        }
        self.count += batch.len();
        self.bytes += batch.iter().map(|report| report.bytes).sum::<usize>();
        self.again.push_back(batch);
    }

    pub fn take(&mut self) -> Vec<PendingReport> {
        let batch = self.again.pop_front().unwrap_or_else(|| self.fill());
        self.count -= batch.len();
        self.bytes -= batch.iter().map(|report| report.bytes).sum::<usize>();
        batch
    }

    fn fill(&mut self) -> Vec<PendingReport> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < MAX_REPORTS {
            let Some(next) = self.queue.pop_front() else { break };
            bytes += next.bytes;
            if bytes > MAX_REPORT_BYTES && !batch.is_empty() {
                self.queue.push_front(next);
                break;
            }
            batch.push(next);
        }
        batch
    }
}
