"""Handlers that exceed their run timeout."""

from __future__ import annotations

import pytest

from muster.durations import to_duration, to_seconds
from muster.v1.failure_pb2 import FAILURE_CAUSE_TIMEOUT, Failure
from muster.worker.attempt_key import AttemptKey
from muster.worker.stop_reason import StopReason
from muster.worker.v1.session_pb2 import ProgressUpdate
from tests.support.virtual_session import VirtualSession


def running(session: VirtualSession, timeout: float):
    (credit,) = session.first_credits()
    return session.assign(credit.credit_id, timeout=timeout)


def test_signalled_at_its_time_and_reported_after_the_grace() -> None:
    session = VirtualSession(slots=1)
    key = running(session, 7.0)
    session.sleep(6.9)
    assert session.ports.stopped == []
    session.sleep(0.2)
    assert session.ports.stopped == [(session.ports.started[key], StopReason.RUN_TIMEOUT)]
    session.sleep(4.8)
    assert session.report() == {}
    session.sleep(0.3)
    failure = session.report()[key].failure
    assert (failure.type, failure.failure_cause) == ("RunTimeout", FAILURE_CAUSE_TIMEOUT)
    assert session.slots.free == 0
    session.sleep(60)
    assert session.report() == {}
    session.returns(key)
    assert session.slots.free == 1
    assert session.report() == {}


@pytest.mark.parametrize("value", [Failure(type="JobStopped"), "finished"])
def test_a_handler_that_returns_in_the_grace_period_has_failed_whatever_it_returns(value: object) -> None:
    session = VirtualSession()
    key = running(session, 1.0)
    session.sleep(2.0)
    session.returns(key, value)
    assert session.report()[key].failure.type == "RunTimeout"


def test_the_time_counts_from_the_start_not_from_acceptance() -> None:
    session = VirtualSession(slots=1)
    (credit,) = session.first_credits()
    session.returns(session.assign(credit.credit_id))
    pending = session.begin_report()
    assert pending is not None
    session.core.end_report(pending, [1])
    (credit,) = pending.request.credits
    first = session.assign(credit.credit_id)
    second = session.assign(credit.credit_id, prefetch=True, timeout=1.0)
    session.sleep(0.8)
    session.returns(first)
    session.sleep(0.9)
    assert session.ports.stopped == []
    session.sleep(0.2)
    assert session.ports.stopped == [(session.ports.started[second], StopReason.RUN_TIMEOUT)]


def test_many_deadlines() -> None:
    session = VirtualSession(slots=50)
    (credit,) = session.first_credits()
    keys = [session.assign(credit.credit_id, timeout=1.0 + number % 7) for number in range(50)]
    for key in keys[:10]:
        session.returns(key)
    session.sleep(20)
    assert sorted(run for run, _ in session.ports.stopped) == sorted(session.ports.started[key] for key in keys[10:])
    assert len(session.report()) == 50


def test_an_hour_if_nothing_else_is_said() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    session.assign(credit.credit_id)
    session.sleep(3_599)
    assert session.ports.stopped == []
    session.sleep(2)
    assert [reason for _, reason in session.ports.stopped] == [StopReason.RUN_TIMEOUT]


def extends(session: VirtualSession, key: AttemptKey, seconds: float, sequence: int = 1) -> None:
    update = ProgressUpdate(job_id=key[0], attempt=key[1], sequence=sequence)
    update.run_timeout_extension.CopyFrom(to_duration(seconds))
    session.core.on_progress(session.now, update)


def sent_extensions(session: VirtualSession) -> list[float]:
    return [to_seconds(update.run_timeout_extension) for update in session.begin_beat().request.progress]


def test_more_time_moves_the_signal_by_all_that_was_asked_for() -> None:
    session = VirtualSession()
    key = running(session, 2.0)
    extends(session, key, 3.0)
    extends(session, key, 5.0, sequence=2)
    extends(session, key, 4.0, sequence=3)
    session.sleep(6.9)
    assert session.ports.stopped == []
    session.sleep(0.2)
    assert session.ports.stopped == [(session.ports.started[key], StopReason.RUN_TIMEOUT)]


def test_more_time_is_sent_within_a_second_or_before_the_old_deadline() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    long, short = (session.assign(credit.credit_id, timeout=timeout) for timeout in (60.0, 0.4))
    extends(session, long, 30.0)
    extends(session, short, 10.0)
    assert session.ports.beat_wishes == pytest.approx([1.0, 0.4])
    assert sent_extensions(session) == [30.0, 10.0]


def test_more_time_after_the_signal_is_too_late() -> None:
    session = VirtualSession(slots=1)
    key = running(session, 2.0)
    session.sleep(2.1)
    extends(session, key, 60.0)
    assert sent_extensions(session) == [0.0]
    session.sleep(5.0)
    assert session.report()[key].failure.type == "RunTimeout"
