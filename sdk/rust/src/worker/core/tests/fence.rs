use super::bench::{BEAT, Bench, LEASE, assignment, lease_lost, released, result, unavailable};
use crate::v1::LeaseLossAction;
use crate::worker::core::fence::Fence;
use crate::worker::core::limits::{FENCE_MARGIN, SHORT_SESSION};
use crate::worker::core::outcome::Outcome;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1::{self as protocol, ReleaseReason};
use crate::worker::worker_event::WorkerEvent;

#[test]
fn the_fence_falls_before_the_lease_and_is_not_set_back() {
    let mut fence = Fence::new(1_000, LEASE);
    assert_eq!(fence.at(), 1_000 + LEASE - FENCE_MARGIN);
    fence.extend(9_000);
    fence.extend(4_000);
    assert_eq!(fence.at(), 9_000 + LEASE - FENCE_MARGIN);
    assert!(fence.passed(fence.at()) && !fence.passed(fence.at() - 1));
    assert_eq!(Fence::new(0, 1_500).at(), 1_300);
}

/// Leaves heartbeats unanswered until the fence has passed.
fn fall(bench: &mut Bench) {
    let end = bench.now + LEASE;
    while bench.now < end {
        bench.advance(100);
        while let Some(beat) = bench.beats.pop_front() {
            bench.fail_beat(beat, unavailable());
        }
    }
    assert_eq!(bench.events.last(), Some(&WorkerEvent::Fenced));
}

#[test]
fn what_runs_without_a_lease_is_stopped_and_reported_as_aborted() {
    let (mut bench, credit) = Bench::ready(3);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    let continues =
        protocol::Assignment { lease_loss_action: LeaseLossAction::Continue.into(), ..assignment(2, &credit) };
    bench.assign(vec![continues]);
    let continuing = bench.enter();
    bench.assign(vec![assignment(3, &credit)]);
    fall(&mut bench);
    assert_eq!(bench.stopped, [(slot, StopReason::LeaseLost)]);
    let outcomes: Vec<Outcome> = std::iter::from_fn(|| (!bench.reports.is_empty()).then(|| bench.accept_reports()))
        .flatten()
        .map(|report| report.outcome.unwrap())
        .collect();
    assert_eq!(released(&outcomes[0]), Some(ReleaseReason::NotStarted));
    assert_eq!(outcomes[1], Outcome::Aborted(protocol::Aborted {}));
    // A later result is dropped, and an attempt that continues is still held.
    bench.end(slot, result("too late"));
    assert!(bench.reports.is_empty());
    assert_eq!(bench.held(), [(2, true)]);
    assert_eq!(bench.events.last(), Some(&WorkerEvent::Recovered));
    bench.end(continuing, result("done"));
    assert!(matches!(bench.only_outcome(), Outcome::Result(_)));
}

#[test]
fn nothing_is_taken_without_a_lease() {
    let (mut bench, credit) = Bench::ready(1);
    fall(&mut bench);
    bench.assign(vec![assignment(1, &credit)]);
    assert!(bench.started.is_empty() && bench.reports.is_empty());
    assert_eq!(bench.core.stats().ignored, 1);
    let beat = bench.next_beat();
    assert_eq!(beat.request.credits, []);
}

#[test]
fn an_answer_to_a_beat_of_long_ago_does_not_end_it() {
    let (mut bench, _) = Bench::ready(1);
    let old = bench.next_beat();
    fall(&mut bench);
    bench.answer_beat(old, protocol::SendHeartbeatResponse::default());
    assert_eq!(bench.events.last(), Some(&WorkerEvent::Fenced));
}

#[test]
fn a_lost_session_is_followed_by_another_one() {
    let (mut bench, credit) = Bench::ready(2);
    bench.advance(BEAT / 2);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.assign(vec![assignment(2, &credit)]);
    let beat = bench.next_beat();
    bench.fail_beat(beat, lease_lost());
    assert_eq!(bench.stopped, [(slot, StopReason::LeaseLost)]);
    assert!(!bench.started[1].gate.enter());
    bench.open();
    // The handler that does not return keeps its slot.
    let credit = bench.connect();
    assert_eq!(credit.slots, 1);
    bench.end(slot, result("too late"));
    assert!(bench.reports.is_empty());
    assert_eq!(bench.held(), []);
    assert_eq!(bench.core.stats().sessions_lost, 1);
}

#[test]
fn a_session_that_did_not_last_is_not_followed_at_once() {
    let mut bench = Bench::new(1);
    bench.open();
    let beat = bench.beats.pop_front().unwrap();
    bench.fail_beat(beat, lease_lost());
    assert!(bench.opens.is_empty());
    bench.advance(SHORT_SESSION);
    assert_eq!(bench.opens.len(), 1);
}

#[test]
fn a_lost_session_is_also_noticed_by_a_report() {
    let (mut bench, credit) = Bench::ready(1);
    bench.advance(SHORT_SESSION);
    bench.answer_beats();
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.end(slot, result("done"));
    bench.fail_reports(lease_lost());
    assert_eq!(bench.events.last(), Some(&WorkerEvent::Lost));
    assert_eq!(bench.opens.len(), 1);
}
