use super::bench::{Bench, assignment, released, result};
use crate::worker::v1::{self as protocol, ReleaseReason};
use crate::worker::worker_event::WorkerEvent;

#[test]
fn a_drained_worker_finishes_what_runs_and_closes() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.assign(vec![assignment(2, &credit)]);
    bench.deliver(|core, now| core.drain(now));
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::Drain));

    let beat = bench.next_beat();
    assert!(beat.request.draining);
    assert_eq!(beat.request.credits, []);
    bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    bench.assign(vec![assignment(3, &credit)]);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::Drain));

    assert_eq!(bench.closes, 0);
    bench.end(slot, result("done"));
    bench.accept_reports();
    assert_eq!(bench.closes, 1);
    bench.deliver(|core, _| core.session_closed(Ok(protocol::CloseSessionResponse {})));
    assert!(matches!(bench.finished, Some(Ok(()))));
    assert!(bench.events.ends_with(&[WorkerEvent::Draining, WorkerEvent::Closed]));
}

#[test]
fn the_server_can_ask_for_it_more_than_once() {
    let (mut bench, _) = Bench::ready(1);
    let response = protocol::SendHeartbeatResponse { drain: true, ..Default::default() };
    let beat = bench.next_beat();
    bench.answer_beat(beat, response);
    assert_eq!(bench.closes, 1);
}

#[test]
fn a_worker_without_a_session_just_ends() {
    let mut bench = Bench::new(1);
    bench.deliver(|core, now| core.drain(now));
    assert!(matches!(bench.finished, Some(Ok(()))));
    bench.open();
    assert!(bench.beats.is_empty());
}

#[test]
fn closing_stops_handlers_and_withdraws_what_was_not_entered() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.assign(vec![assignment(2, &credit)]);
    bench.deliver(|core, _| core.close());
    assert_eq!(bench.stopped.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [slot]);
    assert!(!bench.started[1].gate.enter());
    assert_eq!(bench.closes, 1);
}
