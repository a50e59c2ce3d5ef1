use std::time::Duration;

use super::bench::{BEAT, Bench, assignment, unavailable};
use crate::error::CallError;
use crate::worker::core::Millis;

/// A worker with free slots whose next heartbeat has been sent.
fn beating() -> Bench {
    let (mut bench, _) = Bench::ready(2);
    bench.advance(BEAT);
    bench
}

fn busy(delay: Millis) -> CallError {
    CallError { retry_delay: Some(Duration::from_millis(delay)), ..unavailable() }
}

fn fail(bench: &mut Bench, error: CallError) {
    let beat = bench.beats.pop_front().expect("a beat is under way");
    bench.fail_beat(beat, error);
}

/// Fails heartbeats, each at once, and returns the time before each of the next ones.
fn waits(bench: &mut Bench, beats: usize, error: &CallError) -> Vec<Millis> {
    (0..beats)
        .map(|_| {
            let failed_at = bench.now;
            fail(bench, error.clone());
            let next = bench.next_beat();
            bench.beats.push_front(next);
            bench.now - failed_at
        })
        .collect()
}

#[test]
fn after_a_failure_the_waits_double_up_to_a_second_though_slots_are_free() {
    let mut bench = beating();
    assert_eq!(waits(&mut bench, 7, &unavailable()), [60, 100, 200, 400, 500, 500, 500]);
    bench.answer_beats();
    bench.deliver(|core, now| core.set_slots(now, 3));
    bench.next_beat();
    bench.deliver(|core, now| core.set_slots(now, 4));
    let next = bench.next_beat();
    bench.beats.push_front(next);
    assert_eq!(waits(&mut bench, 2, &unavailable()), [60, 100], "an answer starts them anew");
}

#[test]
fn the_delay_that_the_server_asks_for_is_kept_whatever_else_asks_for_a_beat() {
    let (mut bench, credit) = Bench::ready(2);
    bench.advance(BEAT);
    fail(&mut bench, busy(3_000));
    bench.assign(vec![assignment(1, &credit)]);
    bench.deliver(|core, now| core.set_slots(now, 4));
    bench.advance(3_000);
    assert!(bench.beats.is_empty());
    bench.advance(100);
    assert_eq!(bench.beats.len(), 1);
}

#[test]
fn the_delay_that_the_server_asks_for_puts_off_what_was_asked_for_before() {
    let mut bench = beating();
    bench.deliver(|core, now| core.set_slots(now, 4));
    fail(&mut bench, busy(2_000));
    bench.advance(2_000);
    assert!(bench.beats.is_empty());
}

#[test]
fn another_failure_does_not_shorten_the_delay_that_the_server_asks_for() {
    let mut bench = beating();
    bench.deliver(|core, now| core.set_slots(now, 4));
    bench.advance(100);
    fail(&mut bench, busy(3_000));
    fail(&mut bench, unavailable());
    bench.advance(3_000);
    assert!(bench.beats.is_empty());
}

#[test]
fn the_delay_is_an_interval_at_most() {
    let mut bench = beating();
    assert_eq!(waits(&mut bench, 3, &busy(60_000)), [BEAT; 3]);
}

#[test]
fn a_change_of_the_bus_does_not_wait() {
    let mut bench = beating();
    fail(&mut bench, busy(4_000));
    bench.deliver(|core, now| core.bus_changed(now, 1, false));
    bench.advance(1_000);
    assert!(bench.beats.is_empty());
    bench.deliver(|core, now| core.bus_changed(now, 1, true));
    assert_eq!(bench.beats.len(), 1);
    bench.ping();
    assert_eq!(bench.beats.len(), 2);
}
