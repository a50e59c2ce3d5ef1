//! Progress as a handler reports it.
use crate::v1;

const MAX_MESSAGE: usize = 256;
const MAX_UNIT: usize = 32;
const MAX_COUNT: u64 = (1 << 53) - 1;

/// What a handler has done, as a count of units. With a total, Muster estimates from it when the handler is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressCounts<'a> {
    /// Units that are done; at most 2^53 - 1.
    pub done: u64,
    /// Units in all; at most 2^53 - 1. `None`: not known.
    pub total: Option<u64>,
    /// What is counted, such as `rows`; cut after 32 characters. Empty: not said.
    pub unit: &'a str,
}

pub fn of_fraction(fraction: f64, message: &str) -> v1::Progress {
    let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
    v1::Progress { fraction, message: first(message, MAX_MESSAGE), ..Default::default() }
}

pub fn of_counts(counts: ProgressCounts<'_>, message: &str) -> v1::Progress {
    let done = counts.done.min(MAX_COUNT);
    let total = counts.total.map(|total| total.min(MAX_COUNT));
    v1::Progress {
        fraction: total.map_or(0.0, |total| share(done, total)),
        message: first(message, MAX_MESSAGE),
        done: Some(done.cast_signed()),
        total: total.map(u64::cast_signed),
        unit: first(counts.unit, MAX_UNIT),
        estimated_end_time: None,
    }
}

/// Both are at most 2^53 - 1, which `f64` holds exactly.
#[allow(clippy::cast_precision_loss)]
fn share(done: u64, total: u64) -> f64 {
    if total == 0 { 1.0 } else { (done as f64 / total as f64).min(1.0) }
}

fn first(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_sent_within_their_limits() {
        let unit = "r".repeat(40);
        let said = of_counts(ProgressCounts { done: u64::MAX, total: Some(u64::MAX), unit: &unit }, "copying");
        assert_eq!((said.done, said.total), (Some((1 << 53) - 1), Some((1 << 53) - 1)));
        assert_eq!((said.fraction, said.unit.len(), said.message.as_str()), (1.0, 32, "copying"));
    }

    #[test]
    fn a_share_needs_a_total() {
        let counts = ProgressCounts { done: 3, total: Some(4), unit: "rows" };
        assert_eq!(of_counts(counts, "").fraction, 0.75);
        let unknown = of_counts(ProgressCounts { total: None, ..counts }, "");
        assert_eq!((unknown.fraction, unknown.done, unknown.total), (0.0, Some(3), None));
        assert_eq!(of_counts(ProgressCounts { done: 0, total: Some(0), unit: "" }, "").fraction, 1.0);
        assert_eq!(of_counts(ProgressCounts { done: 9, total: Some(4), unit: "" }, "").fraction, 1.0);
    }
}
