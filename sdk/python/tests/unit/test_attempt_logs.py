"""Log records reach the control plane with beats and reports, once each."""

from __future__ import annotations

from muster.v1.failure_pb2 import Failure
from muster.v1.log_record_pb2 import LOG_LEVEL_INFO, LogRecord
from muster.worker.attempt_key import AttemptKey
from muster.worker.log_tail import LogTail
from muster.worker.pending_calls import PendingBeat
from muster.worker.v1.session_pb2 import ProgressUpdate
from muster.worker.v1.session_service_pb2 import SendHeartbeatResponse
from tests.support.virtual_session import VirtualSession


def busy() -> tuple[VirtualSession, AttemptKey]:
    session = VirtualSession()
    (credit,) = session.first_credits()
    return session, session.assign(credit.credit_id)


def line(sequence: int, size: int = 10) -> LogRecord:
    return LogRecord(sequence=sequence, level=LOG_LEVEL_INFO, message="x" * size)


def logs(session: VirtualSession, key: AttemptKey, *records: LogRecord, sequence: int = 0) -> None:
    update = ProgressUpdate(job_id=key[0], attempt=key[1], sequence=sequence, logs=records)
    if sequence:
        update.progress.fraction = sequence / 10
    session.core.on_progress(session.now, update)


def numbers(beat: PendingBeat) -> list[int]:
    return [record.sequence for update in beat.request.progress for record in update.logs]


def test_they_go_with_a_beat_and_are_not_repeated_once_it_is_answered() -> None:
    session, key = busy()
    logs(session, key, line(1))
    assert (session.ports.log_beats_wanted, session.ports.beat_wishes) == (1, [])
    beat = session.beat()
    assert numbers(beat) == [1]
    assert not beat.request.progress[0].HasField("progress")
    assert list(session.beat().request.progress) == []


def test_what_a_beat_lost_goes_again_before_what_came_later() -> None:
    session, key = busy()
    logs(session, key, line(1))
    lost = session.begin_beat()
    session.core.fail_beat(session.now, lost, is_broken=False)
    logs(session, key, line(2))
    late = session.begin_beat()
    logs(session, key, line(3))
    assert (numbers(lost), numbers(late)) == ([1], [1, 2])
    session.core.end_beat(session.now, late, SendHeartbeatResponse())
    assert numbers(session.beat()) == [3]


def test_they_leave_progress_as_it_was_and_go_along_with_its_next_change() -> None:
    session, key = busy()
    logs(session, key, line(1), sequence=1)
    session.beat()
    logs(session, key, line(2))
    (alone,) = session.begin_beat().request.progress
    assert (alone.HasField("progress"), alone.sequence) == (False, 0)
    logs(session, key, line(3), sequence=2)
    (both,) = session.beat().request.progress
    assert (both.progress.fraction, both.sequence, len(both.logs)) == (0.2, 2, 2)
    assert list(session.beat().request.progress) == []


def test_the_rest_goes_with_the_report_whatever_it_says() -> None:
    for value in ("done", Failure(type="Error")):
        session, key = busy()
        logs(session, key, line(1))
        session.beat()
        logs(session, key, line(2), line(3))
        session.returns(key, value)
        assert [record.sequence for record in session.report()[key].logs] == [2, 3]
        assert numbers(session.beat()) == []


def test_a_record_after_the_end_is_not_sent() -> None:
    session, key = busy()
    session.returns(key)
    logs(session, key, line(1))
    assert numbers(session.beat()) == []


def test_a_flood_keeps_the_newest_and_one_at_least() -> None:
    tail = LogTail()
    tail.extend(line(number + 1, 1_000) for number in range(1_000))
    kept = [record.sequence for record in tail.records()]
    assert kept == list(range(1_001 - len(kept), 1_001))
    assert 50 < len(kept) <= 64
    tail.confirm(1_000)
    assert (len(tail), tail.byte_count) == (0, 0)
    tail.extend([line(1, 100_000)])
    assert len(tail) == 1


def test_a_beat_carries_those_of_a_thousand_attempts() -> None:
    session = VirtualSession(slots=1_200)
    (credit,) = session.first_credits()
    for _ in range(1_200):
        logs(session, session.assign(credit.credit_id), line(1))
    assert [len(numbers(session.beat())) for _ in range(3)] == [1_000, 200, 0]
