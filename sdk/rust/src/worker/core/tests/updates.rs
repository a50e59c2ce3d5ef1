use tonic::Code;

use super::bench::{Bench, assignment, failure, unavailable};
use crate::error::CallError;
use crate::v1::{LogRecord, Progress};
use crate::worker::core::limits::{LOG_GAP, MAX_UPDATES, PROGRESS_DELAY};
use crate::worker::core::log_tail::LogLine;
use crate::worker::core::slot_table::Slot;
use crate::worker::v1 as protocol;

fn running() -> (Bench, Slot) {
    let (mut bench, credit) = Bench::ready(1);
    bench.assign(vec![assignment(1, &credit)]);
    let slot = bench.enter();
    (bench, slot)
}

fn say(bench: &mut Bench, slot: Slot, fraction: f64) {
    let progress = Progress { fraction, ..Default::default() };
    bench.deliver(|core, now| core.progress(now, slot, progress));
}

fn log(bench: &mut Bench, slot: Slot, sequence: i64) {
    let line = LogLine { record: LogRecord { sequence, ..Default::default() }, bytes: 100 };
    bench.deliver(|core, now| core.log(now, slot, vec![line]));
}

#[test]
fn progress_is_sent_within_a_second_and_only_once() {
    let (mut bench, slot) = running();
    let said_at = bench.now;
    say(&mut bench, slot, 0.1);
    say(&mut bench, slot, 0.2);
    let beat = bench.next_beat();
    assert!(bench.now <= said_at + PROGRESS_DELAY);
    let [update] = &beat.request.progress[..] else { panic!("not one update") };
    assert_eq!((update.sequence, update.progress.as_ref().unwrap().fraction), (2, 0.2));
    bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    assert_eq!(bench.next_beat().request.progress, []);
}

#[test]
fn what_a_failed_beat_carried_goes_again_unless_it_was_refused() {
    let (mut bench, slot) = running();
    say(&mut bench, slot, 0.1);
    let beat = bench.next_beat();
    bench.fail_beat(beat, unavailable());
    let beat = bench.next_beat();
    assert_eq!(beat.request.progress.len(), 1);
    bench.fail_beat(beat, CallError::new(Code::InvalidArgument, "bad progress"));
    assert_eq!(bench.next_beat().request.progress, []);
}

#[test]
fn what_changes_while_a_beat_is_under_way_is_sent_with_the_next() {
    let (mut bench, slot) = running();
    say(&mut bench, slot, 0.1);
    let beat = bench.next_beat();
    say(&mut bench, slot, 0.2);
    bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    let update = &bench.next_beat().request.progress[0];
    assert_eq!(update.sequence, 2);
}

#[test]
fn log_records_leave_the_sequence_as_it_is_and_come_soon() {
    let (mut bench, slot) = running();
    say(&mut bench, slot, 0.1);
    bench.next_beat();
    bench.advance(LOG_GAP);
    bench.answer_beats();
    let logged_at = bench.now;
    log(&mut bench, slot, 1);
    log(&mut bench, slot, 2);
    let beat = bench.next_beat();
    assert!(bench.now <= logged_at + LOG_GAP);
    let update = &beat.request.progress[0];
    assert_eq!((update.sequence, update.logs.len()), (1, 2));
}

#[test]
fn records_that_no_beat_has_carried_go_with_the_report() {
    let (mut bench, slot) = running();
    log(&mut bench, slot, 1);
    let beat = bench.next_beat();
    bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    log(&mut bench, slot, 2);
    bench.end(slot, failure("Oops"));
    let logs = &bench.accept_reports()[0].logs;
    assert_eq!(logs.iter().map(|record| record.sequence).collect::<Vec<_>>(), [2]);
}

#[test]
fn of_many_changes_each_has_its_turn() {
    let slots = MAX_UPDATES + 10;
    let (mut bench, credit) = Bench::ready(slots as i32);
    bench.assign((1..=slots as u128).map(|job| assignment(job, &credit)).collect());
    for slot in 0..slots {
        assert!(bench.started[slot].gate.enter());
        say(&mut bench, slot, 0.1);
    }
    let beat = bench.next_beat();
    assert_eq!(beat.request.progress.len(), MAX_UPDATES);
    for slot in 0..slots {
        say(&mut bench, slot, 0.2);
    }
    bench.answer_beat(beat, protocol::SendHeartbeatResponse::default());
    let next = bench.next_beat().request.progress;
    // Attempts that had no turn come first.
    assert_eq!(next[0].job_id, bench.started[MAX_UPDATES].assignment.job_id);
}
