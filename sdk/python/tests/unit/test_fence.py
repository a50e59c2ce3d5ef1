"""The fence: when a lease can't be proved, and what follows."""

from __future__ import annotations

import pytest

from muster.v1.job_definition_pb2 import LEASE_LOSS_ACTION_CONTINUE
from muster.worker.fence import Fence
from muster.worker.stop_reason import StopReason
from muster.worker.v1 import session_service_pb2 as messages
from tests.support.virtual_session import VirtualSession, kind_of


@pytest.mark.parametrize(("lease", "at"), [(15.0, 13.0), (30.0, 28.0), (7.5, 6.5), (1.5, 1.3)])
def test_margin(lease: float, at: float) -> None:
    fence = Fence(lease, 100.0)
    assert fence.at == pytest.approx(100.0 + at)
    assert not fence.is_passed(fence.at - 0.001)
    assert fence.is_passed(fence.at)


def test_never_moves_back() -> None:
    fence = Fence(15.0, 100.0)
    fence.extend(105.0)
    fence.extend(101.0)
    assert fence.at == 118.0


def test_counts_from_the_sending_of_a_good_beat() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    session.now += 5.0
    beat = session.begin_beat()
    session.now += 4.0
    session.core.end_beat(session.now, beat, messages.SendHeartbeatResponse())
    session.sleep(8.9, beating=False)
    assert not session.core.is_fenced
    session.sleep(0.2, beating=False)
    assert session.core.is_fenced
    assert session.assign(credit.credit_id) not in session.ports.started


def test_an_unanswered_beat_proves_nothing() -> None:
    session = VirtualSession()
    session.now += 5.0
    session.core.fail_beat(session.now, session.begin_beat(), is_broken=True)
    session.sleep(8.1, beating=False)
    assert session.core.is_fenced


def test_past_it_assignments_are_ignored_not_released() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    session.now += 13.0  # no tick has seen it yet
    session.assign(credit.credit_id)
    assert session.ports.started == {}
    assert session.report() == {}
    assert session.held() == {}


def test_handlers_are_aborted_and_said_so_until_acknowledged() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    key = session.assign(credit.credit_id)
    session.sleep(13.1, beating=False)
    assert session.ports.stopped == [(session.ports.started[key], StopReason.LEASE_LOST)]
    for _ in range(3):
        pending = session.begin_report()
        assert pending is not None
        assert [kind_of(report) for _, report in pending.batch] == ["aborted"]
        session.core.fail_report(pending, is_broken=True)
        assert session.held() == {key: True}
    assert kind_of(session.report()[key]) == "aborted"
    assert session.held() == {}


def test_the_slot_of_an_aborted_handler_stays_busy_until_it_returns() -> None:
    session = VirtualSession(slots=1)
    (credit,) = session.first_credits()
    key = session.assign(credit.credit_id)
    session.sleep(13.1, beating=False)
    session.report()
    session.beat()
    assert session.beat().request.credits == []
    session.returns(key, "too late")
    assert session.report() == {}
    assert [granted.slots for granted in session.beat().request.credits] == [1]


def test_handlers_of_definitions_that_continue_keep_running() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    key = session.assign(credit.credit_id, lease_loss_action=LEASE_LOSS_ACTION_CONTINUE)
    session.sleep(20, beating=False)
    assert session.ports.stopped == []
    session.returns(key)
    assert kind_of(session.report()[key]) == "result"


def test_what_waits_does_not_start_any_more() -> None:
    session = VirtualSession(slots=1)
    (credit,) = session.first_credits()
    session.returns(session.assign(credit.credit_id))
    pending = session.begin_report()
    assert pending is not None
    session.core.end_report(pending, [1])
    session.now += 12.9
    (credit,) = pending.request.credits
    running = session.assign(credit.credit_id)
    waiting = session.assign(credit.credit_id, prefetch=True)
    session.now += 0.1
    session.returns(running)  # it returns at the moment of the fence
    assert waiting not in session.ports.started
    assert kind_of(session.report()[waiting]) == "NOT_STARTED"


def test_a_later_good_beat_lets_it_accept_again() -> None:
    session = VirtualSession()
    session.first_credits()
    session.sleep(14, beating=False)
    assert session.begin_beat().request.credits == []
    wanted = session.ports.beats_wanted
    session.beat()
    assert not session.core.is_fenced
    assert session.ports.beats_wanted == wanted + 1
    (credit,) = session.beat().request.credits
    assert session.assign(credit.credit_id) in session.ports.started
    session.core.drain(session.now)
    session.core.drain(session.now)
    assert [event.value for event in session.ports.events] == ["ready", "fenced", "recovered", "draining"]


def test_it_falls_when_the_worker_has_stopped_the_handlers_by_itself() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    key = session.assign(credit.credit_id)
    session.core.on_fenced()
    session.core.on_fenced()
    session.returns(key, "too late")
    assert kind_of(session.report()[key]) == "aborted"
    session.beat()
    assert not session.core.is_fenced
    assert [event.value for event in session.ports.events] == ["ready", "fenced", "recovered"]


def test_a_good_beat_that_is_answered_too_late_changes_nothing() -> None:
    session = VirtualSession()
    beat = session.begin_beat()
    session.now += 14.0
    session.core.tick(session.now)
    session.core.end_beat(session.now, beat, messages.SendHeartbeatResponse())
    assert session.core.is_fenced


def test_a_lost_session_stops_everything_and_reports_nothing() -> None:
    session = VirtualSession(slots=3)
    (credit,) = session.first_credits()
    ended, running, going_on = (
        session.assign(credit.credit_id),
        session.assign(credit.credit_id),
        session.assign(credit.credit_id, lease_loss_action=LEASE_LOSS_ACTION_CONTINUE),
    )
    session.returns(ended)
    session.core.lose()
    started = session.ports.started
    assert session.ports.stopped == [(started[key], StopReason.LEASE_LOST) for key in (running, going_on)]
    assert session.begin_report() is None
    assert session.slots.free == 1
    session.returns(running)
    assert session.begin_report() is None
    assert session.slots.free == 2
    session.deliver(session.assignment(credit.credit_id))
    assert len(started) == 3
