"""Draining and shutting down."""

from __future__ import annotations

from muster.v1.failure_pb2 import Failure
from muster.worker.stop_reason import StopReason
from tests.support.virtual_session import VirtualSession, kind_of


def test_credits_are_voided_and_nothing_more_is_taken() -> None:
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    running = session.assign(credit.credit_id)
    session.core.drain(session.now)
    request = session.beat().request
    assert request.draining
    assert list(request.voided_credit_ids) == [credit.credit_id]
    assert list(request.credits) == []
    late = session.assign(credit.credit_id)
    assert kind_of(session.report()[late]) == "DRAIN"
    assert session.held() == {running: True}


def test_what_waits_is_released_and_what_runs_is_finished() -> None:
    session = VirtualSession(slots=1)
    running, waiting = session.run_one_and_prefetch_one()
    session.core.drain(session.now)
    assert {key: kind_of(report) for key, report in session.report().items()} == {waiting: "DRAIN"}
    assert not session.core.is_drained
    session.returns(running)
    assert not session.core.is_drained
    report = session.begin_report()
    assert report is not None
    assert not session.core.is_drained
    assert list(report.request.credits) == []
    session.core.end_report(report, [1])
    assert session.core.is_drained


def test_the_control_plane_may_ask_for_it() -> None:
    session = VirtualSession()
    session.first_credits()
    session.beat(drain=True)
    assert session.core.is_draining
    assert session.core.is_drained


def test_a_session_that_does_not_drain_is_not_drained() -> None:
    assert not VirtualSession().core.is_drained


def test_shutting_down_asks_handlers_to_stop_and_gives_up_what_they_leave() -> None:
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    stopping, finishing = session.assign(credit.credit_id), session.assign(credit.credit_id)
    session.core.shut_down(session.now)
    assert [reason for _, reason in session.ports.stopped] == [StopReason.SHUTDOWN] * 2
    session.returns(stopping, Failure(type="JobStopped"))
    session.returns(finishing)
    assert {key: kind_of(report) for key, report in session.report().items()} == {finishing: "result"}
    assert session.core.is_drained  # closing the session gives the other one back
