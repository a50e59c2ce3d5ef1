"""The checks of acceptance, in their order."""

from __future__ import annotations

import pytest

from muster.worker.acceptance import AssignmentFacts, Verdict, decide
from muster.worker.v1.attempt_report_pb2 import (
    RELEASE_REASON_CANCELLED,
    RELEASE_REASON_DEAD_CREDIT,
    RELEASE_REASON_DRAIN,
    RELEASE_REASON_NO_SLOT,
    RELEASE_REASON_TOO_LARGE,
    RELEASE_REASON_UNSUPPORTED,
)
from tests.support.virtual_session import VirtualSession, kind_of

# Every fact that prevents an acceptance, in the order of the checks. Starting with all of them and removing one by one
# must give the answers in this order.
_STEPS = [
    ("is_known", Verdict.IGNORE),
    ("is_fenced", Verdict.IGNORE),
    ("is_full", Verdict.IGNORE),
    ("is_cancelled", RELEASE_REASON_CANCELLED),
    ("no_handler", RELEASE_REASON_UNSUPPORTED),
    ("too_large", RELEASE_REASON_TOO_LARGE),
    ("is_draining", RELEASE_REASON_DRAIN),
    ("no_credit", RELEASE_REASON_DEAD_CREDIT),
    ("no_place", RELEASE_REASON_NO_SLOT),
]


def facts(obstacles: set[str]) -> AssignmentFacts:
    return AssignmentFacts(
        is_known="is_known" in obstacles,
        is_fenced="is_fenced" in obstacles,
        is_full="is_full" in obstacles,
        is_cancelled="is_cancelled" in obstacles,
        has_handler="no_handler" not in obstacles,
        fits="too_large" not in obstacles,
        is_draining="is_draining" in obstacles,
        has_credit="no_credit" not in obstacles,
        has_slot="no_place" not in obstacles,
        may_wait=False,
    )


@pytest.mark.parametrize("index", range(len(_STEPS)))
def test_an_earlier_obstacle_decides(index: int) -> None:
    remaining = _STEPS[index:]
    assert decide(facts({name for name, _ in remaining})) == remaining[0][1]


@pytest.mark.parametrize(("obstacle", "answer"), _STEPS)
def test_each_obstacle_alone(obstacle: str, answer: object) -> None:
    assert decide(facts({obstacle})) == answer


@pytest.mark.parametrize(
    ("has_slot", "may_wait", "answer"),
    [
        (True, False, Verdict.START),
        (True, True, Verdict.START),
        (False, True, Verdict.WAIT),
        (False, False, RELEASE_REASON_NO_SLOT),
    ],
)
def test_a_place(has_slot: bool, may_wait: bool, answer: object) -> None:
    assert decide(AssignmentFacts(has_slot=has_slot, may_wait=may_wait)) == answer


def test_accepts_without_a_round_trip() -> None:
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    keys = session.deliver(session.assignment(credit.credit_id), session.assignment(credit.credit_id))
    assert list(session.ports.started) == keys
    assert session.held() == dict.fromkeys(keys, True)
    assert session.begin_report() is None


def released(session: VirtualSession, **fields: object) -> str | None:
    key = session.assign(**fields)
    assert key not in session.ports.started
    assert session.held() == {key: False}
    report = session.report()[key]
    assert session.held() == {}
    return kind_of(report)


def test_unknown_credit() -> None:
    session = VirtualSession()
    session.first_credits()
    assert released(session, credit_id=99) == "DEAD_CREDIT"


def test_expired_credit() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    session.sleep(4.9)
    session.now += 10.2  # the last beat was at 0, so that nothing has been replaced
    session.beat()
    assert released(session, credit_id=credit.credit_id) == "DEAD_CREDIT"


def test_spent_credit() -> None:
    session = VirtualSession(slots=1)
    (credit,) = session.first_credits()
    first = session.assign(credit.credit_id)
    second = session.assign(credit.credit_id)
    assert {key: kind_of(report) for key, report in session.report().items()} == {second: "DEAD_CREDIT"}
    assert session.held() == {first: True}


def test_no_slot() -> None:
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    session.slots.take()  # a handler of an earlier session still runs
    session.assign(credit.credit_id)
    late = session.assign(credit.credit_id)
    assert kind_of(session.report()[late]) == "NO_SLOT"


@pytest.mark.parametrize(("handler", "version"), [("sub", 1), ("old", 1), ("old", 4)])
def test_unsupported(handler: str, version: int) -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    assert released(session, credit_id=credit.credit_id, handler=handler, definition_version=version) == "UNSUPPORTED"


def test_too_large() -> None:
    session = VirtualSession(max_input=3)
    (credit,) = session.first_credits()
    assert released(session, credit_id=credit.credit_id) == "TOO_LARGE"


def test_a_release_frees_the_place_in_the_same_call() -> None:
    session = VirtualSession(slots=1)
    (credit,) = session.first_credits()
    session.assign(credit.credit_id, handler="sub")
    pending = session.begin_report()
    assert pending is not None
    assert [granted.slots for granted in pending.request.credits] == [1]


def test_an_assignment_in_a_reply_is_treated_alike() -> None:
    session = VirtualSession()
    (credit,) = session.first_credits()
    live, dead = session.assignment(credit.credit_id), session.assignment(99)
    session.beat(assignments=[live, dead])
    assert list(session.ports.started) == [(live.job_id, 1)]
    assert [kind_of(report) for report in session.report().values()] == ["DEAD_CREDIT"]


def test_as_many_are_held_as_a_beat_can_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster.worker.grants.MAX_HELD", 3)
    monkeypatch.setattr("muster.worker.intake.MAX_HELD", 3)
    session = VirtualSession(slots=5)
    session.assign(99)  # released and not acknowledged: held
    (credit,) = session.first_credits()
    assert credit.slots == 2
    for _ in range(4):
        session.assign(99)
    assert len(session.held()) == 3
