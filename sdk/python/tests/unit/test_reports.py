"""Reports: batches, repetitions, refusals, and the updates that go with them."""

from __future__ import annotations

import pytest

from muster import payloads
from muster.v1.failure_pb2 import Failure
from muster.v1.job_pb2 import Progress
from muster.worker.grants import MAX_PENDING_REPORTS
from muster.worker.outbox import MAX_BYTES, MAX_REPORTS, SECOND_FLIGHT_FROM, Outbox
from muster.worker.progress import ProgressBoard
from muster.worker.session_state import CHECKPOINT_TRIES
from muster.worker.v1 import session_service_pb2 as messages
from muster.worker.v1.attempt_report_pb2 import REPORT_RESULT_ACCEPTED, REPORT_RESULT_UNSPECIFIED, AttemptReport
from muster.worker.v1.session_pb2 import ProgressUpdate
from tests.support.virtual_session import ACCEPTED, VirtualSession, kind_of


def report(number: int, size: int = 1) -> tuple[tuple[bytes, int], AttemptReport]:
    key = (number.to_bytes(16, "big"), 1)
    return key, AttemptReport(job_id=key[0], attempt=1, result=payloads.encode(b"x" * size))


class TestOutbox:
    def test_what_comes_while_a_batch_is_in_flight_goes_with_the_next(self) -> None:
        outbox = Outbox()
        outbox.put(*report(1))
        first = outbox.take()
        assert len(first) == 1
        outbox.put(*report(2))
        outbox.put(*report(3))
        assert outbox.take() == []
        outbox.settle(first, [])
        assert [key for key, _ in outbox.take()] == [report(2)[0], report(3)[0]]

    def test_with_enough_in_the_line_a_second_batch_goes_and_never_a_third(self) -> None:
        outbox = Outbox()
        outbox.put(*report(0))
        flights = [outbox.take()]
        for number in range(1, SECOND_FLIGHT_FROM):
            outbox.put(*report(number))
        assert outbox.take() == []
        outbox.put(*report(SECOND_FLIGHT_FROM))
        flights.append(outbox.take())
        assert [len(batch) for batch in flights] == [1, SECOND_FLIGHT_FROM]
        for number in range(1_000, 1_000 + SECOND_FLIGHT_FROM):
            outbox.put(*report(number))
        assert outbox.take() == []
        outbox.settle(flights[1], flights[1])
        assert len(outbox.take()) == 2 * SECOND_FLIGHT_FROM
        assert len(outbox) == 2 * SECOND_FLIGHT_FROM + 1

    def test_while_a_bad_report_is_looked_for_only_one_goes(self) -> None:
        outbox = Outbox()
        for number in range(2 * SECOND_FLIGHT_FROM):
            outbox.put(*report(number))
        outbox.isolate(outbox.take())
        assert len(outbox.take()) == 1
        assert outbox.take() == []

    def test_a_thousand_reports_at_most(self) -> None:
        outbox = Outbox()
        for number in range(MAX_REPORTS + 1):
            outbox.put(*report(number))
        batch = outbox.take()
        assert len(batch) == MAX_REPORTS
        outbox.settle(batch, [])
        assert len(outbox.take()) == 1

    def test_three_mebibytes_at_most(self) -> None:
        outbox = Outbox()
        for number in range(10):
            outbox.put(*report(number, 512 * 1024))
        sizes = []
        while batch := outbox.take():
            sizes.append(messages.ReportAttemptsRequest(reports=[item for _, item in batch]).ByteSize())
            outbox.settle(batch, [])
        assert len(sizes) == 2
        assert max(sizes) <= MAX_BYTES

    def test_bytes_are_counted_until_they_are_acknowledged(self) -> None:
        outbox = Outbox()
        for number in range(10):
            outbox.put(*report(number, 512 * 1024))
        total = outbox.byte_count
        assert total > 5 * 1024 * 1024
        batch = outbox.take()
        assert outbox.byte_count == total
        outbox.settle(batch, batch)
        assert outbox.byte_count == total
        while batch := outbox.take():
            outbox.settle(batch, [])
        assert outbox.byte_count == 0

    def test_repeats_go_first_and_in_their_order(self) -> None:
        outbox = Outbox()
        for number in range(3):
            outbox.put(*report(number))
        batch = outbox.take()
        outbox.put(*report(9))
        outbox.settle(batch, batch)
        assert [key for key, _ in outbox.take()] == [report(number)[0] for number in (0, 1, 2, 9)]


def finished(session: VirtualSession, *values: object):
    (credit,) = session.first_credits()
    keys = [session.assign(credit.credit_id) for _ in values]
    for key, value in zip(keys, values, strict=True):
        session.returns(key, value)
    return keys


def test_the_same_reports_are_sent_again() -> None:
    session = VirtualSession()
    finished(session, 1, 2)
    first = session.begin_report()
    assert first is not None
    session.core.fail_report(first, is_broken=True)
    second = session.begin_report()
    assert second is not None
    assert list(second.request.reports) == list(first.request.reports)


def test_the_credit_of_a_failed_call_is_replaced() -> None:
    session = VirtualSession()
    finished(session, 1)
    first = session.begin_report()
    assert first is not None
    lost = first.request.credits[0].credit_id
    session.core.fail_report(first, is_broken=False)
    second = session.begin_report()
    assert second is not None
    assert lost in second.request.voided_credit_ids
    assert second.request.credits[0].credit_id > lost


def test_reports_without_a_clear_answer_are_sent_again() -> None:
    session = VirtualSession()
    keys = finished(session, 1, 2)
    pending = session.begin_report()
    assert pending is not None
    assert not session.core.end_report(pending, [REPORT_RESULT_ACCEPTED])
    assert list(session.report(REPORT_RESULT_UNSPECIFIED)) == [keys[1]]
    assert list(session.report()) == [keys[1]]
    assert session.held() == {}


def test_a_refused_report_is_found_and_replaced() -> None:
    session = VirtualSession(slots=3)
    keys = finished(session, 1, "bad", 3)
    outcomes = {}
    for _ in range(10):
        pending = session.begin_report()
        if pending is None:
            break
        if any(report.result.data == b'"bad"' for report in pending.request.reports):
            session.core.refuse_report(pending, "no such thing")
        else:
            session.core.end_report(pending, [1] * len(pending.batch))
            outcomes.update(dict(pending.batch))
    assert [kind_of(outcomes[key]) for key in keys] == ["result", "failure", "result"]
    assert outcomes[keys[1]].failure.type == "ReportRefused"
    assert session.held() == {}


def test_a_report_that_is_always_refused_is_dropped() -> None:
    session = VirtualSession(slots=1)
    finished(session, 1)
    for _ in range(2):
        pending = session.begin_report()
        assert pending is not None
        session.core.refuse_report(pending, "no")
    assert session.begin_report() is None
    assert session.held() == {}


@pytest.mark.parametrize("bound", ["MAX_REPORT_BYTES", "MAX_PENDING_REPORTS"])
def test_nothing_more_is_taken_while_too_much_is_not_acknowledged(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"muster.worker.grants.{bound}", 1)
    session = VirtualSession(slots=2)
    finished(session, "x" * 2_000, "y")
    failing = session.begin_report()
    assert failing is not None
    assert list(failing.request.credits) == []
    session.core.fail_report(failing, is_broken=False)
    assert list(session.beat().request.credits) == []
    session.report()
    assert [credit.slots for credit in session.beat().request.credits] == [2]


def test_reports_that_nobody_takes_end_the_taking_of_jobs() -> None:
    session = VirtualSession(slots=100)
    (credit,) = session.first_credits()
    ended = 0
    while credit is not None and ended < 2 * MAX_PENDING_REPORTS:
        keys = session.deliver(*(session.assignment(credit.credit_id) for _ in range(credit.slots)))
        for key in keys:
            session.returns(key)
        ended += len(keys)
        pending = session.begin_report()
        assert pending is not None
        session.core.fail_report(pending, is_broken=False)
        session.now += 1.0
        credit = next(iter(session.beat().request.credits), None)
    assert MAX_PENDING_REPORTS < ended <= MAX_PENDING_REPORTS + 100
    granted = 0
    while (pending := session.begin_report()) is not None:
        session.core.end_report(pending, [ACCEPTED] * len(pending.batch))
        granted += sum(credit.slots for credit in pending.request.credits)
    assert granted == 100


def test_calls_that_are_under_way_together_are_answered_each_for_itself() -> None:
    session = VirtualSession(slots=SECOND_FLIGHT_FROM + 1)
    (credit,) = session.first_credits()
    first, *others = session.deliver(*(session.assignment(credit.credit_id) for _ in range(SECOND_FLIGHT_FROM + 1)))
    session.returns(first)
    one = session.begin_report()
    for key in others:
        session.returns(key)
    two = session.begin_report()
    assert one is not None
    assert two is not None
    assert session.core.end_report(two, [ACCEPTED] * len(two.batch))
    assert list(session.held()) == [first]
    session.core.fail_report(one, is_broken=False)
    assert list(session.report()) == [first]
    assert session.held() == {}


def update(key, sequence: int, fraction: float, checkpoint: object = None) -> ProgressUpdate:
    payload = None if checkpoint is None else payloads.encode(checkpoint)
    return ProgressUpdate(
        job_id=key[0], attempt=key[1], sequence=sequence, progress=Progress(fraction=fraction), checkpoint=payload
    )


class TestProgress:
    def test_an_update_is_sent_until_acknowledged_and_no_longer(self) -> None:
        session = VirtualSession()
        key = session.assign(session.first_credits()[0].credit_id)
        session.core.on_progress(session.now, update(key, 1, 0.5))
        assert session.ports.beat_wishes == [1.0]
        beat = session.begin_beat()
        assert [item.progress.fraction for item in beat.request.progress] == [0.5]
        session.core.fail_beat(session.now, beat, is_broken=True)
        assert [item.progress.fraction for item in session.beat().request.progress] == [0.5]
        assert list(session.beat().request.progress) == []

    def test_an_update_during_a_beat_is_sent_with_the_next(self) -> None:
        session = VirtualSession()
        key = session.assign(session.first_credits()[0].credit_id)
        session.core.on_progress(session.now, update(key, 1, 0.5))
        beat = session.begin_beat()
        session.core.on_progress(session.now, update(key, 2, 0.7))
        session.core.end_beat(session.now, beat, messages.SendHeartbeatResponse())
        assert [item.progress.fraction for item in session.beat().request.progress] == [0.7]

    def test_a_late_update_sets_nothing_back(self) -> None:
        board = ProgressBoard()
        key = (b"j", 1)
        board.put(key, update(key, 2, 0.7))
        board.put(key, update(key, 1, 0.5))
        assert [item.sequence for item in board.next_updates()] == [2]

    def test_progress_keeps_the_checkpoint_before_it(self) -> None:
        board = ProgressBoard()
        key = (b"j", 1)
        board.put(key, update(key, 1, 0.5, "here"))
        board.put(key, update(key, 2, 0.7))
        assert board.next_updates()[0].checkpoint.data == b'"here"'

    def test_a_beat_carries_a_mebibyte_at_most(self) -> None:
        board = ProgressBoard()
        for number in range(5):
            key = (bytes([number]), 1)
            board.put(key, update(key, 1, 0.5, b"x" * 512 * 1024))
        sent = []
        while updates := board.next_updates():
            assert len(updates) <= 2
            sent += [item.job_id for item in updates]
            board.confirm(updates)
        assert sent == [bytes([number]) for number in range(5)]

    def test_of_unknown_attempts_is_dropped(self) -> None:
        session = VirtualSession()
        session.core.on_progress(session.now, update((b"?", 1), 1, 0.5))
        assert list(session.beat().request.progress) == []

    def test_a_failure_waits_for_the_beat_that_carries_its_checkpoint(self) -> None:
        session = VirtualSession()
        key = session.assign(session.first_credits()[0].credit_id)
        early = session.begin_beat()
        session.core.on_progress(session.now, update(key, 1, 0.5, "here"))
        wanted = session.ports.beats_wanted
        session.returns(key, Failure(type="RetryLater"))
        assert session.ports.beats_wanted > wanted
        session.core.end_beat(session.now, early, messages.SendHeartbeatResponse())  # did not carry it
        assert session.report() == {}
        assert session.beat().request.progress[0].checkpoint.data == b'"here"'
        assert kind_of(session.report()[key]) == "failure"

    def test_a_beat_that_fails_is_followed_by_another_with_the_checkpoint_and_after_three_the_failure_goes(
        self,
    ) -> None:
        session = VirtualSession()
        key = session.assign(session.first_credits()[0].credit_id)
        session.core.on_progress(session.now, update(key, 1, 0.5, "here"))
        session.returns(key, Failure(type="RetryLater"))
        for _ in range(CHECKPOINT_TRIES):
            assert session.report() == {}
            beat = session.begin_beat()
            assert beat.request.progress[0].checkpoint.data == b'"here"'
            session.core.fail_beat(session.now, beat, is_broken=False)
        assert kind_of(session.report()[key]) == "failure"

    def test_a_checkpoint_that_is_refused_does_not_hold_a_failure_back(self) -> None:
        session = VirtualSession()
        key = session.assign(session.first_credits()[0].credit_id)
        session.core.on_progress(session.now, update(key, 1, 0.5, "here"))
        session.returns(key, Failure(type="RetryLater"))
        session.core.refuse_beat(session.now, session.begin_beat())
        assert list(session.begin_beat().request.progress) == []
        assert kind_of(session.report()[key]) == "failure"
