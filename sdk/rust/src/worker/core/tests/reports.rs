use tonic::Code;

use super::bench::{Bench, MAX_PAYLOAD, assignment, failure, result, unavailable};
use crate::error::CallError;
use crate::v1;
use crate::worker::core::limits::{CHECKPOINT_TRIES, MAX_REPORTS, SECOND_CALL_FROM};
use crate::worker::core::outcome::Outcome;
use crate::worker::v1::{self as protocol, AttemptReport};

/// A worker whose handlers of jobs 1 to `count` have been entered.
fn running(count: u128) -> Bench {
    let (mut bench, credit) = Bench::ready(count as i32);
    bench.assign((1..=count).map(|job| assignment(job, &credit)).collect());
    assert_eq!(bench.started.len(), count as usize);
    for started in &bench.started {
        assert!(started.gate.enter());
    }
    bench
}

fn end(bench: &mut Bench, slots: std::ops::Range<usize>) {
    let ends = slots.map(|at| (bench.started[at].slot, result("done"))).collect();
    bench.deliver(|core, now| core.handlers_ended(now, ends));
}

#[test]
fn reports_pile_up_while_a_call_is_under_way() {
    let mut bench = running(250);
    end(&mut bench, 0..1);
    end(&mut bench, 1..SECOND_CALL_FROM);
    assert_eq!(bench.reports.len(), 1);
    end(&mut bench, SECOND_CALL_FROM..150);
    assert_eq!(bench.reports.len(), 2);
    end(&mut bench, 150..250);
    assert_eq!(bench.reports.len(), 2);
    let sizes: Vec<usize> = (0..3).map(|_| bench.accept_reports().len()).collect();
    assert_eq!(sizes, [1, 149, 100]);
}

#[test]
fn a_call_reports_a_thousand_at_most() {
    let mut bench = running(MAX_REPORTS as u128 + 1);
    end(&mut bench, 0..MAX_REPORTS + 1);
    assert_eq!(bench.accept_reports().len(), MAX_REPORTS);
    assert_eq!(bench.accept_reports().len(), 1);
}

#[test]
fn after_a_failed_call_the_same_reports_go_again() {
    let mut bench = running(2);
    end(&mut bench, 0..1);
    let first = bench.fail_reports(unavailable()).reports;
    end(&mut bench, 1..2);
    assert!(bench.reports.is_empty());
    bench.advance(1_000);
    assert_eq!(bench.accept_reports(), first);
    assert_eq!(bench.accept_reports().len(), 1);
}

#[test]
fn what_has_no_result_in_the_answer_goes_again() {
    let mut bench = running(3);
    end(&mut bench, 0..3);
    let sent = bench.reports.pop_front().unwrap();
    let results = vec![protocol::ReportResult::Accepted.into(), 0];
    let answer = Ok(protocol::ReportAttemptsResponse { results });
    bench.deliver(|core, now| core.reports_over(now, sent.session, sent.call, answer));
    bench.advance(1_000);
    assert_eq!(bench.accept_reports(), sent.request.reports[1..]);
}

#[test]
fn a_report_that_the_server_refuses_does_not_hold_up_the_others() {
    let mut bench = running(8);
    end(&mut bench, 0..8);
    let bad = bench.started[5].assignment.job_id.clone();
    let mut accepted: Vec<AttemptReport> = Vec::new();
    while let Some(sent) = bench.reports.front() {
        let refused = sent
            .request
            .reports
            .iter()
            .any(|report| report.job_id == bad && matches!(report.outcome, Some(Outcome::Result(_))));
        if refused {
            bench.fail_reports(CallError::new(Code::InvalidArgument, "a bad report"));
        } else {
            accepted.extend(bench.accept_reports());
        }
    }
    assert_eq!(accepted.len(), 8);
    let replaced = accepted.iter().find(|report| report.job_id == bad).unwrap();
    let Some(Outcome::Failure(failure)) = &replaced.outcome else { panic!("{replaced:?}") };
    assert_eq!((&*failure.r#type, failure.non_retryable), ("ReportRefused", true));
    assert_eq!(bench.held(), []);
}

#[test]
fn a_result_that_is_too_large_is_a_non_retryable_failure() {
    let mut bench = running(1);
    let large = "x".repeat(MAX_PAYLOAD as usize + 1);
    bench.end(0, result(&large));
    let Outcome::Failure(failure) = bench.only_outcome() else { panic!("no failure") };
    assert_eq!((&*failure.r#type, failure.non_retryable), ("ResultTooLarge", true));
}

#[test]
fn a_failed_attempt_is_reported_after_its_last_checkpoint() {
    let mut bench = running(1);
    let slot = bench.started[0].slot;
    let checkpoint = v1::Payload::bytes(vec![7]);
    bench.deliver(|core, now| core.checkpoint(now, slot, checkpoint.clone()));
    bench.end(slot, failure("Oops"));
    assert!(bench.reports.is_empty());
    let beat = bench.next_beat();
    assert_eq!(beat.request.progress[0].checkpoint, Some(checkpoint));
    bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    assert!(matches!(bench.only_outcome(), Outcome::Failure(_)));
}

#[test]
fn a_checkpoint_that_can_not_be_carried_does_not_hold_up_the_report_for_ever() {
    let mut bench = running(1);
    let slot = bench.started[0].slot;
    bench.deliver(|core, now| core.checkpoint(now, slot, v1::Payload::bytes(vec![7])));
    bench.end(slot, failure("Oops"));
    for _ in 0..CHECKPOINT_TRIES {
        assert!(bench.reports.is_empty());
        let beat = bench.next_beat();
        assert!(beat.request.progress[0].checkpoint.is_some());
        bench.fail_beat(beat, unavailable());
    }
    assert!(matches!(bench.only_outcome(), Outcome::Failure(_)));
}
