"""Requests to suspend an attempt, before and during it, and handlers that suspend their job."""

from __future__ import annotations

import pytest

from muster.testing import FakeContext, StopName, run_handler
from muster.v1.failure_pb2 import Failure
from muster.worker.job_context import JobContext
from muster.worker.stop_reason import StopReason
from tests.support.virtual_session import VirtualSession, kind_of, suspend_notice


def running(session: VirtualSession):
    (credit,) = session.first_credits()
    return session.assign(credit.credit_id)


@pytest.mark.parametrize(("value", "outcome"), [(Failure(type="JobStopped"), "suspended"), ("finished", "result")])
def test_a_running_handler_is_signalled_once_and_its_return_decides(value: object, outcome: str) -> None:
    session = VirtualSession()
    key = running(session)
    session.suspend(key)
    session.beat(suspends=[suspend_notice(key)])
    assert session.ports.stopped == [(session.ports.started[key], StopReason.SUSPENDED)]
    assert session.report() == {}
    session.returns(key, value)
    assert kind_of(session.report()[key]) == outcome


def test_one_that_waits_is_released() -> None:
    session = VirtualSession(slots=1)
    first, waiting = session.run_one_and_prefetch_one()
    session.suspend(waiting)
    assert kind_of(session.report()[waiting]) == "SUSPENDED"
    session.returns(first)
    assert waiting not in session.ports.started


def test_one_that_overtakes_its_assignment_is_dropped_since_every_beat_repeats_it() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    assignment = session.assignment(credit.credit_id)
    key = (assignment.job_id, 1)
    session.suspend(key)
    session.deliver(assignment)
    assert session.ports.stopped == []
    session.beat(suspends=[suspend_notice(key)])
    assert [reason for _, reason in session.ports.stopped] == [StopReason.SUSPENDED]


@pytest.mark.parametrize("asked", [None, "suspended"])
def test_a_handler_suspends_its_job_with_a_checkpoint(asked: StopName | None) -> None:
    context = FakeContext()
    if asked is not None:
        context.cancel(asked)

    def handler(ctx: JobContext, _input: object) -> None:
        ctx.suspend({"page": 7})

    outcome = run_handler(handler, context=context)
    assert (outcome.is_suspended, outcome.result, outcome.failure) == (True, None, None)
    assert context.checkpoints == [{"page": 7}]
    assert context.cancel_reason == asked


def test_a_checkpoint_that_is_too_large_is_a_failure() -> None:
    outcome = run_handler(lambda ctx, _input: ctx.suspend("x" * 100), context=FakeContext(max_payload=10))
    assert outcome.failure is not None
    assert outcome.failure.type == "ValueError"
