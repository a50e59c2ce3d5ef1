use super::bench::{Bench, assignment, released, result};
use crate::worker::core::limits::CREDIT_LIFE;
use crate::worker::v1::{self as protocol, ReleaseReason};

#[test]
fn an_attempt_that_runs_is_not_taken_again() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign(vec![assignment(1, &credit), assignment(1, &credit)]);
    bench.assign(vec![assignment(1, &credit)]);
    assert_eq!(bench.started.len(), 1);
    assert!(bench.reports.is_empty());
    assert_eq!(bench.core.stats().duplicates, 2);
}

#[test]
fn an_attempt_that_was_reported_is_remembered_as_long_as_its_credit_lives() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.end(slot, result("done"));
    bench.accept_reports();
    bench.assign(vec![assignment(1, &credit)]);
    assert_eq!(bench.started.len(), 1);
    assert!(bench.reports.is_empty());

    let end = bench.now + CREDIT_LIFE;
    while bench.now < end {
        let beat = bench.next_beat();
        bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    }
    bench.assign(vec![assignment(1, &credit)]);
    assert_eq!(bench.started.len(), 1);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::DeadCredit));
}

#[test]
fn an_attempt_is_listed_until_its_report_is_answered() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign(vec![assignment(1, &credit)]);
    assert_eq!(bench.held(), [(1, false)]);
    let slot = bench.enter();
    assert_eq!(bench.held(), [(1, true)]);
    bench.end(slot, result("done"));
    assert_eq!(bench.held(), [(1, true)]);
    bench.accept_reports();
    assert_eq!(bench.held(), []);
}

#[test]
fn what_no_handler_serves_is_given_back() {
    let (mut bench, credit) = Bench::ready(2);
    let other = protocol::Assignment { handler: "other".into(), ..assignment(1, &credit) };
    let newer = protocol::Assignment { definition_version: 3, ..assignment(2, &credit) };
    bench.assign(vec![other, newer]);
    let reports = bench.accept_reports();
    let reasons: Vec<_> = reports.iter().map(|report| released(report.outcome.as_ref().unwrap())).collect();
    assert_eq!(reasons, [Some(ReleaseReason::Unsupported); 2]);
}
