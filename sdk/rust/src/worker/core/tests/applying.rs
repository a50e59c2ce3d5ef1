use std::time::Duration;

use tonic::Code;

use super::bench::{Bench, unavailable};
use crate::error::CallError;
use crate::worker::worker_event::WorkerEvent;

/// Answers the only call; returns the id of its request.
fn answer(bench: &mut Bench, answer: Result<(), CallError>) -> String {
    assert!(bench.opens.is_empty(), "a session is asked for");
    let request = bench.applies.pop_front().expect("a definition is applied");
    assert!(bench.applies.is_empty(), "two definitions are applied at once");
    bench.deliver(|core, now| core.applied(now, answer));
    request.request_id
}

#[test]
fn all_definitions_are_applied_in_order_before_the_session_is_opened() {
    let mut bench = Bench::with_definitions(1, &["a", "b"]);
    assert_eq!(answer(&mut bench, Ok(())), "request a");
    assert_eq!(answer(&mut bench, Ok(())), "request b");
    bench.open();
    bench.connect();
    assert_eq!(bench.events, [WorkerEvent::Opened, WorkerEvent::Ready]);
}

#[test]
fn the_same_request_is_repeated_while_the_control_plane_can_not_be_reached() {
    let mut bench = Bench::with_definitions(1, &["a"]);
    for code in [Code::Unavailable, Code::DeadlineExceeded].repeat(50) {
        assert_eq!(answer(&mut bench, Err(CallError::new(code, "away"))), "request a");
        bench.advance_to(bench.core.due());
    }
    let mut overloaded = CallError::new(Code::ResourceExhausted, "too much");
    overloaded.retry_delay = Some(Duration::from_secs(60));
    answer(&mut bench, Err(overloaded));
    bench.advance(59_999);
    assert!(bench.applies.is_empty());
    bench.advance(3_000);
    answer(&mut bench, Ok(()));
    assert_eq!(bench.opens.len(), 1);
}

#[test]
fn a_refusal_ends_the_worker_and_names_the_definition() {
    for code in [Code::InvalidArgument, Code::NotFound, Code::FailedPrecondition, Code::ResourceExhausted] {
        let mut bench = Bench::with_definitions(1, &["a", "b"]);
        answer(&mut bench, Err(CallError::new(code, "no")));
        assert!(bench.applies.is_empty() && bench.opens.is_empty());
        let end = bench.finished.take().expect("an end").expect_err("an error");
        assert_eq!((end.code, &*end.message), (code, "the definition \"a\": no"));
        assert_eq!(bench.core.due(), u64::MAX);
    }
}

#[test]
fn a_worker_that_is_stopped_meanwhile_applies_nothing_more() {
    for is_answered in [false, true] {
        let mut bench = Bench::with_definitions(1, &["a", "b"]);
        if is_answered {
            answer(&mut bench, Err(unavailable()));
        }
        bench.deliver(|core, now| core.drain(now));
        assert!(bench.finished.take().expect("an end").is_ok());
        if !is_answered {
            answer(&mut bench, Ok(()));
        }
        bench.advance(60_000);
        assert!(bench.applies.is_empty() && bench.opens.is_empty());
    }
}
