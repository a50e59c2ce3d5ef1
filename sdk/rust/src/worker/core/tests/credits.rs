use super::bench::{Bench, assignment, released, result, unavailable};
use crate::duration::to_proto;
use crate::worker::core::limits::{
    CREDIT_LIFE, HEARING_TIME, MAX_BEATS_IN_FLIGHT, MIN_BEAT_GAP, OFFER_DELAY, PREFETCH_WAIT,
};
use crate::worker::v1::{self as protocol, ReleaseReason};

#[test]
fn nothing_is_granted_before_the_first_ping() {
    let mut bench = Bench::new(4);
    bench.open();
    bench.deliver(|core, now| core.bus_changed(now, 1, true));
    for beat in &bench.beats {
        assert_eq!(beat.request.credits, []);
    }
    bench.answer_beats();
    let credit = bench.connect();
    assert_eq!((credit.slots, credit.prefetch), (4, 0));
}

#[test]
fn while_the_bus_is_down_credits_are_granted_for_answers_of_beats() {
    let mut bench = Bench::new(4);
    bench.open();
    let beat = bench.beats.pop_front().unwrap();
    bench.answer_beat(beat, protocol::SendHeartbeatResponse { next_beat: Some(to_proto(500)), ..Default::default() });
    let beat = bench.next_beat();
    assert_eq!(beat.request.credits[0].slots, 4);
}

#[test]
fn a_report_offers_the_slot_that_it_frees() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.end(slot, result("done"));
    let report = &bench.reports[0].request;
    assert_eq!(report.credits[0].slots, 1);
    assert!(report.credits[0].credit_id > credit.credit_id);
}

#[test]
fn slots_that_come_free_while_reports_are_in_flight_are_offered_by_the_next_report_and_need_no_beat() {
    let (mut bench, credit) = Bench::ready(3);
    let slots: Vec<_> = (1..=3)
        .map(|job| {
            bench.assign(vec![assignment(job, &credit)]);
            bench.enter()
        })
        .collect();
    for slot in slots {
        bench.end(slot, result("done"));
    }
    bench.advance(OFFER_DELAY);
    assert!(bench.beats.is_empty());
    bench.accept_reports();
    assert_eq!(bench.reports[0].request.credits[0].slots, 2);
}

#[test]
fn a_credit_is_replaced_before_it_ends() {
    let (mut bench, credit) = Bench::ready(3);
    let start = bench.now;
    loop {
        let beat = bench.next_beat();
        if beat.request.voided_credit_ids == [credit.credit_id] {
            assert_eq!(beat.request.credits[0].slots, 3);
            assert!(bench.now < start + CREDIT_LIFE);
            return;
        }
        assert_eq!(beat.request.voided_credit_ids, Vec::<u64>::new());
        bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    }
}

#[test]
fn what_a_failed_call_granted_is_void() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.end(slot, result("done"));
    let granted = bench.fail_reports(unavailable()).credits[0].credit_id;
    bench.advance(MIN_BEAT_GAP * 10);
    let again = &bench.reports[0].request;
    assert_eq!(again.voided_credit_ids, [granted]);
    assert_eq!(again.credits[0].slots, 1);
    bench.assign(vec![protocol::Assignment { credit_id: granted, ..assignment(2, &credit) }]);
    bench.accept_reports();
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::DeadCredit));
}

#[test]
fn a_broken_connection_voids_what_was_granted_over_it() {
    let (mut bench, credit) = Bench::ready(2);
    bench.deliver(|core, now| core.bus_changed(now, 1, false));
    let beat = bench.next_beat();
    assert_eq!(beat.request.voided_credit_ids, [credit.credit_id]);
}

/// Delivers a ping over a connection before the status that the subscription is active.
fn pinged_early() -> (Bench, protocol::Credit) {
    let mut bench = Bench::new(2);
    bench.open();
    bench.answer_beats();
    bench.ping();
    let credit = bench.beats[0].request.credits[0];
    bench.answer_beats();
    (bench, credit)
}

#[test]
fn credits_of_a_ping_that_came_before_the_subscription_was_in_force_stay_good() {
    let (mut bench, credit) = pinged_early();
    bench.deliver(|core, now| core.bus_changed(now, 1, true));
    bench.answer_beats();
    bench.ping();
    bench.assign(vec![assignment(1, &credit)]);
    assert_eq!(bench.started.len(), 1);
}

#[test]
fn credits_of_an_early_ping_end_with_a_connection_that_never_came_into_force() {
    let (mut bench, credit) = pinged_early();
    bench.deliver(|core, now| core.bus_changed(now, 1, false));
    let beat = bench.next_beat();
    assert_eq!(beat.request.voided_credit_ids, [credit.credit_id]);
}

#[test]
fn other_slots_are_granted_anew() {
    let (mut bench, credit) = Bench::ready(2);
    bench.deliver(|core, now| core.set_slots(now, 5));
    let beat = bench.next_beat();
    assert_eq!(beat.request.voided_credit_ids, [credit.credit_id]);
    assert_eq!(beat.request.credits[0].slots, 5);
}

#[test]
fn no_more_starts_than_there_are_slots() {
    let (mut bench, credit) = Bench::ready(2);
    bench.assign((1..=3).map(|job| assignment(job, &credit)).collect());
    assert_eq!(bench.started.len(), 2);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::DeadCredit));
}

#[test]
fn a_prefetched_attempt_starts_when_a_slot_is_free_or_is_given_back() {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    bench.end(slot, result("done"));
    let credit = bench.reports[0].request.credits[0];
    assert_eq!((credit.slots, credit.prefetch), (1, 1));
    bench.accept_reports();

    let waiting = protocol::Assignment { prefetch: true, ..assignment(3, &credit) };
    bench.assign(vec![waiting, assignment(2, &credit)]);
    assert_eq!(bench.started.last().unwrap().assignment.job_id, super::bench::job_id(2));
    let slot = bench.enter();
    bench.end(slot, result("done"));
    assert_eq!(bench.started.last().unwrap().assignment.job_id, super::bench::job_id(3));
    let slot = bench.enter();
    let credit = bench.reports[0].request.credits[0];
    bench.accept_reports();

    bench.assign(vec![protocol::Assignment { prefetch: true, ..assignment(4, &credit) }]);
    bench.advance(PREFETCH_WAIT);
    assert_eq!(released(&bench.only_outcome()), Some(ReleaseReason::NotStarted));
    bench.end(slot, result("done"));
}

#[test]
fn few_beats_wait_for_an_answer_at_once() {
    let (mut bench, _) = Bench::ready(1);
    for _ in 0..20 {
        bench.deliver(|core, now| core.set_slots(now, 1));
        bench.advance(MIN_BEAT_GAP);
    }
    assert_eq!(bench.beats.len(), MAX_BEATS_IN_FLIGHT);
    bench.answer_beats();
    bench.advance(MIN_BEAT_GAP);
    assert!(!bench.beats.is_empty());
}

#[test]
fn a_connection_is_given_time_before_another_one_is_made() {
    let mut bench = Bench::new(1);
    bench.open();
    let deaf = protocol::SendHeartbeatResponse { reconnect_bus: true, ..Default::default() };
    let beat = bench.beats.pop_front().unwrap();
    bench.answer_beat(beat, deaf.clone());
    bench.deliver(|core, now| core.bus_changed(now, 1, true));
    let beat = bench.beats.pop_front().unwrap();
    bench.answer_beat(beat, deaf.clone());
    assert_eq!(bench.reconnects, 0);
    bench.advance(HEARING_TIME);
    let beat = bench.next_beat();
    bench.answer_beat(beat, deaf);
    assert_eq!(bench.reconnects, 1);
}

#[test]
fn the_next_connection_is_made_to_the_newest_addresses() {
    let mut bench = Bench::new(1);
    bench.open();
    let moved = protocol::SendHeartbeatResponse {
        reconnect_bus: true,
        nats_urls: vec!["nats://moved".into()],
        ..Default::default()
    };
    let beat = bench.beats.pop_front().unwrap();
    bench.answer_beat(beat, moved);
    assert_eq!(bench.bus_urls, ["nats://moved"]);
}

#[test]
fn a_new_subscription_without_a_ping_asks_once_more() {
    let mut bench = Bench::new(1);
    bench.open();
    bench.answer_beats();
    bench.deliver(|core, now| core.bus_changed(now, 1, true));
    bench.answer_beats();
    bench.advance(300);
    assert_eq!(bench.beats.len(), 1);
}
