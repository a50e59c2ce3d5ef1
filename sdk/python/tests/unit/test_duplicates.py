"""An attempt runs once, however often its assignment arrives."""

from __future__ import annotations

import pytest

from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.attempt_report_pb2 import (
    REPORT_RESULT_ACCEPTED,
    REPORT_RESULT_DUPLICATE,
    REPORT_RESULT_LEASE_LOST,
)
from tests.support.virtual_session import VirtualSession, kind_of


def start(session: VirtualSession) -> Assignment:
    (credit,) = session.first_credits()
    assignment = session.assignment(credit.credit_id)
    session.deliver(assignment)
    return assignment


def test_while_it_is_held() -> None:
    session = VirtualSession()
    assignment = start(session)
    session.sleep(60)  # longer than any credit lives
    session.deliver(assignment)
    assert session.report() == {}


def test_after_its_report_while_the_credit_lives() -> None:
    session = VirtualSession()
    assignment = start(session)
    session.returns((assignment.job_id, 1))
    session.report()
    session.sleep(14)
    session.deliver(assignment)
    assert session.report() == {}
    assert session.held() == {}


def test_after_the_credit_has_ended_it_is_released() -> None:
    session = VirtualSession()
    assignment = start(session)
    session.returns((assignment.job_id, 1))
    session.report()
    session.sleep(16)
    session.deliver(assignment)
    assert [kind_of(report) for report in session.report(REPORT_RESULT_LEASE_LOST).values()] == ["DEAD_CREDIT"]
    assert session.held() == {}


def test_a_voided_credit_still_counts_for_what_it_brought() -> None:
    session = VirtualSession()
    assignment = start(session)
    session.returns((assignment.job_id, 1))
    session.report()
    session.core.on_bus_broken()
    session.deliver(assignment)
    assert session.report() == {}


def test_of_a_released_attempt() -> None:
    session = VirtualSession()
    session.first_credits()
    assignment = session.assignment(99)
    session.deliver(assignment)
    assert len(session.report()) == 1
    session.deliver(assignment)
    assert session.report() == {}


def test_another_attempt_of_the_job_is_another_attempt() -> None:
    session = VirtualSession(slots=2)
    assignment = start(session)
    again = Assignment()
    again.CopyFrom(assignment)
    again.attempt = 2
    session.deliver(again)
    assert list(session.ports.started) == [(assignment.job_id, 1), (assignment.job_id, 2)]


@pytest.mark.parametrize(
    "result",
    [REPORT_RESULT_ACCEPTED, REPORT_RESULT_DUPLICATE, REPORT_RESULT_LEASE_LOST],
)
def test_held_until_the_report_is_answered(result: int) -> None:
    session = VirtualSession()
    assignment = start(session)
    key = (assignment.job_id, 1)
    session.returns(key)
    pending = session.begin_report()
    assert pending is not None
    session.core.fail_report(pending, is_broken=False)
    assert session.held() == {key: True}
    assert session.report(result) == dict(pending.batch)
    assert session.held() == {}


def test_the_memory_is_bounded_by_what_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster.worker.grants.MAX_SEEN", 2)
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    for _ in range(2):
        session.returns(session.assign(credit.credit_id))
    session.report()
    assert session.beat().request.credits == []
    session.sleep(17, beating=False)
    assert len(session.core._state.seen) == 0
    session.beat()  # proves the lease again
    assert [granted.slots for granted in session.beat().request.credits] == [2]
