use super::bench::{Bench, assignment, released, result};
use crate::duration::to_proto;
use crate::v1::FailureCause;
use crate::worker::core::limits::RUN_TIMEOUT_GRACE;
use crate::worker::core::outcome::Outcome;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1::{self as protocol, ReleaseReason};

fn limited(job: u128, credit: &protocol::Credit, timeout: u64) -> protocol::Assignment {
    protocol::Assignment { run_timeout: Some(to_proto(timeout)), ..assignment(job, credit) }
}

/// Advances the clock while all heartbeats are answered.
fn pass(bench: &mut Bench, time: u64) {
    let end = bench.now + time;
    while bench.now < end {
        bench.advance(100.min(end - bench.now));
        bench.answer_beats();
    }
}

#[test]
fn a_handler_that_takes_too_long_is_asked_to_stop_and_reported_after_a_while() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![limited(1, &credit, 700)]);
    let slot = bench.enter();
    pass(&mut bench, 699);
    assert_eq!(bench.stopped, []);
    pass(&mut bench, 1);
    assert_eq!(bench.stopped, [(slot, StopReason::RunTimeout)]);
    assert!(bench.reports.is_empty());
    pass(&mut bench, RUN_TIMEOUT_GRACE);
    let Outcome::Failure(failure) = bench.only_outcome() else { panic!("no failure") };
    assert_eq!((&*failure.r#type, failure.failure_cause()), ("RunTimeout", FailureCause::Timeout));
    assert!(!failure.non_retryable);
    // The handler has not returned, so its slot is not free.
    pass(&mut bench, 200);
    assert!(bench.next_beat().request.credits.is_empty());
    bench.end(slot, result("too late"));
    assert!(bench.reports.is_empty());
    assert_eq!(bench.next_beat().request.credits[0].slots, 1);
}

#[test]
fn what_a_handler_returns_after_the_signal_is_a_timeout() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![limited(1, &credit, 500)]);
    let slot = bench.enter();
    pass(&mut bench, 500);
    bench.end(slot, result("late"));
    let Outcome::Failure(failure) = bench.only_outcome() else { panic!("no failure") };
    assert_eq!(failure.r#type, "RunTimeout");
}

#[test]
fn a_handler_that_asks_for_more_time_gets_it_and_the_server_is_notified_in_time() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![limited(1, &credit, 500)]);
    let slot = bench.enter();
    bench.deliver(|core, now| core.extend_run_timeout(now, slot, 400));
    let asked_at = bench.now;
    let beat = bench.next_beat();
    assert_eq!(beat.request.progress[0].run_timeout_extension, Some(to_proto(400)));
    assert!(bench.now <= asked_at + 500);
    bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    let left = asked_at + 899 - bench.now;
    pass(&mut bench, left);
    assert_eq!(bench.stopped, []);
    pass(&mut bench, 1);
    assert_eq!(bench.stopped, [(slot, StopReason::RunTimeout)]);
}

#[test]
fn a_handler_that_was_never_entered_is_given_back_at_its_run_timeout() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![limited(1, &credit, 500)]);
    pass(&mut bench, 500);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::NotStarted));
}
