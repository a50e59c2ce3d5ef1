"""Cancels, before, during and after an attempt."""

from __future__ import annotations

import pytest

from muster.v1.failure_pb2 import Failure
from muster.worker.cancels import RememberedCancels
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import SessionMessage
from muster.worker.v1.session_service_pb2 import SendHeartbeatResponse
from tests.support.virtual_session import VirtualSession, kind_of, notice


def running(session: VirtualSession):
    (credit,) = session.first_credits()
    return session.assign(credit.credit_id)


@pytest.mark.parametrize(("value", "outcome"), [(Failure(type="JobStopped"), "cancelled"), ("finished", "result")])
def test_a_running_handler_is_signalled_and_its_return_decides(value: object, outcome: str) -> None:
    session = VirtualSession()
    key = running(session)
    session.cancel(key)
    assert session.ports.stopped == [(session.ports.started[key], StopReason.CANCELLED)]
    assert session.report() == {}
    session.returns(key, value)
    assert kind_of(session.report()[key]) == outcome


def test_it_is_signalled_once() -> None:
    session = VirtualSession()
    key = running(session)
    session.cancel(key)
    session.beat(cancels=[notice(key)])
    assert len(session.ports.stopped) == 1


def test_in_a_reply() -> None:
    session = VirtualSession()
    key = running(session)
    session.beat(cancels=[notice(key)])
    assert [reason for _, reason in session.ports.stopped] == [StopReason.CANCELLED]


def test_the_slot_stays_busy_until_the_handler_returns() -> None:
    session = VirtualSession(slots=1)
    key = running(session)
    session.cancel(key)
    session.sleep(60)
    assert session.slots.free == 0
    session.returns(key, Failure(type="JobStopped"))
    assert session.slots.free == 1


def test_one_that_waits_is_released() -> None:
    session = VirtualSession(slots=1)
    first, waiting = session.run_one_and_prefetch_one()
    session.cancel(waiting)
    assert kind_of(session.report()[waiting]) == "CANCELLED"
    session.returns(first)
    assert waiting not in session.ports.started


@pytest.mark.parametrize(("seconds", "starts"), [(14.0, False), (15.1, True)])
def test_one_that_overtakes_its_assignment_is_remembered_for_15_seconds(seconds: float, starts: bool) -> None:
    session = VirtualSession()
    session.first_credits()
    assignment = session.assignment(0)
    key = (assignment.job_id, 1)
    session.cancel(key)
    assert session.report() == {}
    session.sleep(seconds)
    assignment.credit_id = session.core._state.credits._last_id
    session.deliver(assignment)
    assert (key in session.ports.started) == starts
    if not starts:
        assert kind_of(session.report()[key]) == "CANCELLED"


def test_one_that_a_later_reply_repeats_is_released_without_its_assignment() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    assignment = session.assignment(credit.credit_id)
    key = (assignment.job_id, 1)
    beat = session.begin_beat()
    session.cancel(key)
    session.core.end_beat(session.now, beat, reply(key))  # sent before the first notice: the assignment may come
    assert session.report() == {}
    session.now += 5.0
    session.beat(cancels=[notice(key)])
    assert kind_of(session.report()[key]) == "CANCELLED"
    session.deliver(assignment)
    assert key not in session.ports.started
    assert session.report() == {}


def reply(key):
    return SendHeartbeatResponse(cancels=[notice(key)])


def test_of_an_attempt_that_has_ended_changes_nothing() -> None:
    session = VirtualSession()
    key = running(session)
    session.returns(key)
    session.cancel(key)  # held
    assert kind_of(session.report()[key]) == "result"
    session.cancel(key)  # seen
    session.now += 5.0
    session.beat(cancels=[notice(key)])
    assert session.report() == {}
    assert session.ports.stopped == []


def test_a_cancel_and_its_assignment_in_one_message() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    assignment = session.assignment(credit.credit_id)
    key = (assignment.job_id, 1)
    session.core.on_message(session.now, SessionMessage(assignments=[assignment], cancels=[notice(key)]))
    assert kind_of(session.report()[key]) == "CANCELLED"


def test_the_memory_of_cancels_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster.worker.cancels._MAX_NOTICES", 3)
    cancels = RememberedCancels()
    keys = [(bytes([number]), 1) for number in range(5)]
    for key in keys:
        cancels.remember(0.0, key)
    assert [cancels.has(1.0, key) for key in keys] == [False, False, True, True, True]
    cancels.purge(15.0)
    assert len(cancels) == 0
