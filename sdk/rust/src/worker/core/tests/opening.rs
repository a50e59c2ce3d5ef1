use tonic::Code;

use super::bench::{Bench, lease_lost, unavailable};
use crate::error::CallError;
use crate::worker::core::limits::OPEN_REQUEST_LIFE;

fn refuse(bench: &mut Bench, error: CallError) -> String {
    let request = bench.opens.pop_front().expect("a session is asked for");
    bench.deliver(|core, now| core.opened(now, Err(error)));
    request.request_id
}

#[test]
fn a_repeat_is_the_same_request_for_a_while() {
    let mut bench = Bench::new(1);
    let start = bench.now;
    let first = refuse(&mut bench, unavailable());
    loop {
        bench.advance_to(bench.core.due());
        let sent = bench.now;
        let again = refuse(&mut bench, unavailable());
        assert_eq!(again == first, sent <= start + OPEN_REQUEST_LIFE, "after {} ms", sent - start);
        if again != first {
            return;
        }
    }
}

#[test]
fn a_session_whose_answer_was_lost_and_that_lapsed_is_not_asked_for_again() {
    let mut bench = Bench::new(1);
    let first = refuse(&mut bench, lease_lost());
    bench.advance_to(bench.core.due());
    assert_ne!(refuse(&mut bench, unavailable()), first);
    assert!(bench.finished.is_none());
}

#[test]
fn a_refusal_for_good_ends_the_worker() {
    for code in [Code::InvalidArgument, Code::Unimplemented, Code::PermissionDenied, Code::FailedPrecondition] {
        let mut bench = Bench::new(1);
        refuse(&mut bench, CallError::new(code, "no"));
        let end = bench.finished.expect("an end").expect_err("an error");
        assert_eq!(end.code, code);
        assert_eq!(bench.core.due(), u64::MAX);
    }
}

#[test]
fn an_overloaded_server_is_given_the_time_it_asks_for() {
    let mut bench = Bench::new(1);
    let mut overloaded = CallError::new(Code::ResourceExhausted, "too many registrations");
    overloaded.retry_delay = Some(std::time::Duration::from_secs(3));
    refuse(&mut bench, overloaded);
    bench.advance(2_999);
    assert!(bench.opens.is_empty());
    bench.advance(200);
    assert_eq!(bench.opens.len(), 1);
}
