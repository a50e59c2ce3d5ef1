use super::bench::unavailable;
use crate::v1::LogRecord;
use crate::worker::core::backoff::backoff;
use crate::worker::core::completion_rate::CompletionRate;
use crate::worker::core::limits::{MAX_BACKOFF, MAX_LOG_BYTES, MAX_SPENT_CREDITS, MIN_BACKOFF};
use crate::worker::core::log_tail::{LogLine, LogTail};
use crate::worker::core::{attempt_key::AttemptKey, credits::Credits};

#[test]
fn waits_double_up_to_a_bound() {
    let waits: Vec<u64> = (1..8).map(|failures| backoff(failures, &unavailable(), MAX_BACKOFF, 1.0)).collect();
    assert_eq!(waits, [100, 200, 400, 800, 1_600, MAX_BACKOFF, MAX_BACKOFF]);
    assert_eq!(backoff(1, &unavailable(), MAX_BACKOFF, 0.0), MIN_BACKOFF / 2);
    assert_eq!(backoff(u32::MAX, &unavailable(), MAX_BACKOFF, 1.0), MAX_BACKOFF);
}

#[test]
fn the_rate_forgets_what_is_long_ago() {
    let mut rate = CompletionRate::default();
    rate.add(1_000, 3);
    rate.add(1_100, 2);
    assert_eq!(rate.recent(1_150), 5);
    assert_eq!(rate.recent(1_200), 2);
    assert_eq!(rate.recent(1_000_000), 0);
}

#[test]
fn a_flood_of_records_drops_the_oldest() {
    let mut tail = LogTail::default();
    let line = |sequence| LogLine { record: LogRecord { sequence, ..Default::default() }, bytes: 1_000 };
    (1..=100).for_each(|sequence| tail.add(line(sequence)));
    assert!(tail.bytes() <= MAX_LOG_BYTES);
    let kept: Vec<i64> = tail.messages().iter().map(|record| record.sequence).collect();
    assert_eq!(kept, (36..=100).collect::<Vec<_>>());
    tail.confirm(99);
    assert_eq!(tail.last_sequence(), 100);
    assert_eq!(tail.take().len(), 1);
    assert!(tail.is_empty() && tail.bytes() == 0);
}

#[test]
fn spent_credits_are_forgotten_in_the_end() {
    let mut credits = Credits::default();
    let key = AttemptKey::new(&[0; 16], 1).unwrap();
    for at in 0..2 * MAX_SPENT_CREDITS as u64 {
        let credit = credits.grant(1, 0, 0);
        credits.spend(credit.credit_id, key, false, at % 1_000);
    }
    assert_eq!((credits.slots(), credits.prefetch()), (0, 0));
    assert!(!credits.remembers(1) && credits.remembers(2 * MAX_SPENT_CREDITS as u64));
}

/// The table "Numbers" of the protocol's documentation, which a published crate does not contain.
#[test]
fn the_numbers_are_those_of_the_protocol() {
    use crate::worker::core::limits;

    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/worker-protocol.md");
    let Ok(text) = std::fs::read_to_string(page) else { return };
    let ours = [
        ("CREDIT_LIFE", limits::CREDIT_LIFE),
        ("CREDIT_REPLACE_BELOW", limits::CREDIT_REPLACE_BELOW),
        ("PREFETCH_WAIT", limits::PREFETCH_WAIT),
        ("CANCEL_MEMORY", limits::CANCEL_MEMORY),
        ("FENCE_MARGIN", limits::FENCE_MARGIN),
        ("RUN_TIMEOUT_GRACE", limits::RUN_TIMEOUT_GRACE),
        ("DEFAULT_RUN_TIMEOUT", limits::DEFAULT_RUN_TIMEOUT),
        ("MIN_BEAT_GAP", limits::MIN_BEAT_GAP),
        ("MAX_BEATS_IN_FLIGHT", limits::MAX_BEATS_IN_FLIGHT as u64),
        ("MAX_HELD", limits::MAX_HELD as u64),
        ("MAX_SLOTS", limits::MAX_SLOTS as u64),
        ("MAX_REPORTS", limits::MAX_REPORTS as u64),
        ("MAX_REPORT_BYTES", limits::MAX_REPORT_BYTES as u64),
        ("MAX_UPDATES", limits::MAX_UPDATES as u64),
        ("MAX_UPDATE_BYTES", limits::MAX_UPDATE_BYTES as u64),
        ("LOG_DELAY", limits::LOG_DELAY),
        ("LOG_GAP", limits::LOG_GAP),
        ("MAX_LOG_BYTES", limits::MAX_LOG_BYTES as u64),
        ("MAX_LOG_LINE_BYTES", limits::MAX_LOG_LINE_BYTES as u64),
        ("MAX_LOG_FIELDS", limits::MAX_LOG_FIELDS as u64),
    ];
    let theirs: Vec<(&str, u64)> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((name, cells.next()?.parse().ok()?))
        })
        .collect();
    assert_eq!(theirs, ours);
}
