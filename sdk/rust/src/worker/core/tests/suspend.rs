use super::bench::{Bench, assignment, failure, released, result};
use crate::worker::core::outcome::{HandlerOutcome, Outcome};
use crate::worker::stop_reason::StopReason;
use crate::worker::v1::{self as protocol, ReleaseReason};

#[test]
fn a_handler_that_gives_up_because_of_the_request_is_suspended() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.suspend(1);
    bench.suspend(1);
    assert_eq!(bench.stopped, [(slot, StopReason::Suspended)]);
    bench.end(slot, failure("Stopped"));
    assert_eq!(bench.only_outcome(), Outcome::Suspended(protocol::Suspended::default()));
}

#[test]
fn a_result_wins_over_the_request() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.suspend(1);
    bench.end(slot, result("done"));
    assert!(matches!(bench.only_outcome(), Outcome::Result(_)));
}

#[test]
fn a_handler_that_waits_for_children_keeps_them() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.suspend(1);
    let child = vec![9; 16].into();
    bench.end(slot, HandlerOutcome::Suspended(vec![child]));
    assert!(matches!(bench.only_outcome(), Outcome::Suspended(it) if it.child_job_ids.len() == 1));
}

#[test]
fn a_handler_that_was_not_entered_never_starts() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    bench.suspend(1);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::Suspended));
    assert!(!bench.started[0].gate.enter());
}

#[test]
fn a_request_that_overtakes_its_assignment_is_dropped_since_every_beat_repeats_it() {
    let (mut bench, credit) = Bench::ready(1);
    bench.suspend(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    assert_eq!(bench.stopped, []);
    bench.suspend(1);
    assert_eq!(bench.stopped, [(slot, StopReason::Suspended)]);
}
