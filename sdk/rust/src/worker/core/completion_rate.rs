//! Counts the handlers that ended in the last 200 ms: the prefetch depth.

use super::Millis;
use super::limits::PREFETCH_WINDOW;

const BUCKETS: u64 = 10;
const BUCKET_LENGTH: Millis = PREFETCH_WINDOW / BUCKETS;

#[derive(Debug, Default)]
pub(crate) struct CompletionRate {
    counts: [usize; BUCKETS as usize],
    total: usize,
    /// Number of the newest bucket, counted from the clock's zero.
    newest: u64,
}

impl CompletionRate {
    pub fn add(&mut self, now: Millis, count: usize) {
        self.advance(now);
        self.counts[(self.newest % BUCKETS) as usize] += count;
        self.total += count;
    }

    pub fn recent(&mut self, now: Millis) -> usize {
        self.advance(now);
        self.total
    }

    fn advance(&mut self, now: Millis) {
        let bucket = now / BUCKET_LENGTH;
        let first = (self.newest + 1).max((bucket + 1).saturating_sub(BUCKETS));
        for passed in first..=bucket {
            let count = &mut self.counts[(passed % BUCKETS) as usize];
            self.total -= *count;
            *count = 0;
        }
        self.newest = self.newest.max(bucket);
    }
}
