use super::bench::{Bench, assignment, failure, released, result};
use crate::worker::core::limits::CANCEL_MEMORY;
use crate::worker::core::outcome::Outcome;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1::{self as protocol, ReleaseReason};

#[test]
fn a_handler_that_gives_up_because_of_a_cancel_is_cancelled() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.cancel(1);
    bench.cancel(1);
    assert_eq!(bench.stopped, [(slot, StopReason::Cancelled)]);
    bench.end(slot, failure("Stopped"));
    assert_eq!(bench.only_outcome(), Outcome::Cancelled(protocol::Cancelled {}));
}

#[test]
fn a_result_wins_over_a_cancel() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.cancel(1);
    bench.end(slot, result("done"));
    assert!(matches!(bench.only_outcome(), Outcome::Result(_)));
}

#[test]
fn a_handler_that_was_not_entered_never_starts_after_a_cancel() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    bench.cancel(1);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::Cancelled));
    assert!(!bench.started[0].gate.enter());
    assert_eq!(bench.stopped, []);
}

#[test]
fn a_cancel_that_overtakes_its_assignment_is_remembered_for_a_while() {
    let (mut bench, credit) = Bench::ready(2);
    bench.cancel(1);
    bench.assign(vec![assignment(1, &credit)]);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::Cancelled));
    assert!(bench.started.is_empty());

    bench.cancel(2);
    let mut credit = credit;
    let end = bench.now + CANCEL_MEMORY;
    while bench.now < end {
        let beat = bench.next_beat();
        if let Some(newer) = beat.request.credits.last() {
            credit = *newer;
        }
        bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    }
    bench.assign(vec![assignment(2, &credit)]);
    assert_eq!(bench.started.len(), 1);
}

#[test]
fn a_cancel_that_comes_with_its_assignment_keeps_it_from_starting() {
    let (mut bench, credit) = Bench::ready(1);
    let beat = bench.next_beat();
    let notice = protocol::CancelNotice { job_id: super::bench::job_id(1), attempt: 1 };
    let response = protocol::SendHeartbeatResponse {
        assignments: vec![assignment(1, &credit)],
        cancels: vec![notice],
        ..Default::default()
    };
    bench.answer_beat(beat, response);
    assert!(bench.started.is_empty());
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::Cancelled));
}
