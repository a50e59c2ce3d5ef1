"""The session core in the random model of dispatch; the model must also detect planted bugs of the core."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from muster.worker.fence import Fence
from muster.worker.held import HeldAttempts
from muster.worker.outbox import Outbox
from muster.worker.seen import SeenAttempts
from muster.worker.session_state import SessionState
from muster.worker.slot_table import SlotTable
from muster.worker.v1.attempt_report_pb2 import AttemptReport
from tests.support.dispatch_model import Model
from tests.support.model_terms import Violation

SEEDS = int(os.environ.get("MUSTER_MODEL_SEEDS", "60"))
MAX_SEEDS_TO_CATCH = 200


def test_the_protocol_is_clean() -> None:
    counts: Counter[str] = Counter()
    for seed in range(SEEDS):
        try:
            counts += Model(seed).run()
        except Violation as violation:
            pytest.fail(f"seed {seed}: {violation}")
    print(f"{SEEDS} seeds: {dict(counts)}")
    # A run without faults proves nothing.
    for event in ("leases lapsed", "released", "aborted", "assigned again", "cancelled", "result"):
        assert counts[event] > 0, event


def test_the_protocol_is_clean_with_reports_in_two_calls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster.worker.outbox.SECOND_FLIGHT_FROM", 1)
    for seed in range(SEEDS):
        try:
            Model(seed).run()
        except Violation as violation:
            pytest.fail(f"seed {seed}: {violation}")


def _forget_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SeenAttempts, "has", lambda *_: False)


def _no_fence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Fence, "is_passed", lambda *_: False)


def _fence_from_the_answer(patch: pytest.MonkeyPatch) -> None:
    """Counts the lease from a time that is far too late."""
    extend = Fence.extend
    patch.setattr(Fence, "extend", lambda fence, sent_at: extend(fence, sent_at + 10.0))


def _abort_silently(patch: pytest.MonkeyPatch) -> None:
    report = SessionState.report

    def quiet(state: SessionState, key: tuple[bytes, int], content: AttemptReport) -> None:
        if not content.HasField("aborted"):
            report(state, key, content)

    patch.setattr(SessionState, "report", quiet)


def _no_release(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SessionState, "release", lambda *_: None)


def _drop_failed_reports(patch: pytest.MonkeyPatch) -> None:
    settle = Outbox.settle
    patch.setattr(Outbox, "settle", lambda outbox, batch, _repeat: settle(outbox, batch, []))


def _leak_slots(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SlotTable, "give_back", lambda *_: None)


def _forget_held(patch: pytest.MonkeyPatch) -> None:
    """Drops an attempt once its handler has returned, and does not remember duplicates either."""
    returned = HeldAttempts.returned

    def forget(held: HeldAttempts, run_id: int):
        attempt = returned(held, run_id)
        if attempt is not None:
            held.acknowledged(attempt.key)
        return attempt

    patch.setattr(HeldAttempts, "returned", forget)
    _forget_seen(patch)


@pytest.mark.parametrize(
    "plant",
    [
        _forget_seen,
        _no_fence,
        _fence_from_the_answer,
        _abort_silently,
        _no_release,
        _drop_failed_reports,
        _leak_slots,
        _forget_held,
    ],
)
def test_a_planted_bug_is_caught(plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    for seed in range(MAX_SEEDS_TO_CATCH):
        try:
            Model(seed).run()
        except Violation as violation:
            print(f"caught by seed {seed}: {violation}")
            return
    pytest.fail(f"{MAX_SEEDS_TO_CATCH} seeds did not catch it")
