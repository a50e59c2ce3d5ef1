"""Takes assignments, cancels and requests to suspend, from the bus and from heartbeat replies."""

from __future__ import annotations

from collections.abc import Sequence

from muster.worker import reports
from muster.worker.acceptance import AssignmentFacts, Verdict, decide
from muster.worker.attempt_key import AttemptKey
from muster.worker.credits import LIFE_SECONDS, GrantedCredit
from muster.worker.grants import MAX_HELD
from muster.worker.handler_runs import HandlerRuns
from muster.worker.held import HeldAttempt
from muster.worker.session_state import SessionState
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment, CancelNotice, SuspendNotice
from muster.worker.v1.attempt_report_pb2 import RELEASE_REASON_CANCELLED, RELEASE_REASON_SUSPENDED


class Intake:
    """Collects the facts for acceptance and carries out its decision."""

    def __init__(self, state: SessionState, runs: HandlerRuns) -> None:
        self._state = state
        self._runs = runs

    def on_assignments(self, now: float, assignments: Sequence[Assignment]) -> None:
        """Starts, queues, releases or ignores attempts.

        Slot assignments go first: a prefetched attempt can wait, and must not take the slot of another assignment.
        """
        for assignment in sorted(assignments, key=lambda one: one.prefetch):
            self._on_assignment(now, assignment)

    def _on_assignment(self, now: float, assignment: Assignment) -> None:
        state = self._state
        key = (assignment.job_id, assignment.attempt)
        credit = state.credits.find(now, assignment.credit_id, prefetch=assignment.prefetch)
        decision = decide(self._facts(now, key, assignment, credit))
        if decision is Verdict.IGNORE:
            return
        state.seen.remember(key, now + LIFE_SECONDS if credit is None else credit.expires_at)
        if credit is not None:
            state.credits.spend(credit, prefetch=assignment.prefetch)
        if decision is Verdict.START:
            self._runs.start(now, key, assignment)
        elif decision is Verdict.WAIT:
            state.held.hold_waiting(key, assignment, now)
        else:
            assert isinstance(decision, int)
            state.release(key, decision)

    def on_cancel(self, now: float, notice: CancelNotice, answers_beat_of: float | None = None) -> None:
        """Stops an attempt, or remembers that it must not start.

        Args:
            now: The current time.
            notice: The cancel.
            answers_beat_of: When the heartbeat was sent whose reply has the cancel; None: it came over the bus.
        """
        state = self._state
        key = (notice.job_id, notice.attempt)
        held = state.held.get(key)
        if held is None:
            self._on_early_cancel(now, key, answers_beat_of)
        else:
            self._stop(held, RELEASE_REASON_CANCELLED, StopReason.CANCELLED)

    def on_suspend(self, notice: SuspendNotice) -> None:
        """Stops an attempt whose job continues later. Every heartbeat repeats it, so an early one is dropped."""
        held = self._state.held.get((notice.job_id, notice.attempt))
        if held is not None:
            self._stop(held, RELEASE_REASON_SUSPENDED, StopReason.SUSPENDED)

    def _stop(self, held: HeldAttempt, release_reason: int, reason: StopReason) -> None:
        if held.assignment is not None:
            self._state.held.settle_waiting(held)
            self._state.report(held.key, reports.released(held.key, release_reason))
        elif not held.is_settled:
            self._runs.stop(held, reason)

    def _on_early_cancel(self, now: float, key: AttemptKey, answers_beat_of: float | None) -> None:
        """Remembers a cancel that overtook its assignment.

        If the reply to a heartbeat that was sent after the first notice repeats the cancel, the assignment is lost.
        Then only a release ends the job before its grace period.
        """
        state = self._state
        if state.seen.has(now, key):
            return
        first_notice = state.cancels.remember(now, key)
        if answers_beat_of is not None and first_notice < answers_beat_of:
            state.seen.remember(key, now + LIFE_SECONDS)
            state.release(key, RELEASE_REASON_CANCELLED)

    def _facts(
        self, now: float, key: AttemptKey, assignment: Assignment, credit: GrantedCredit | None
    ) -> AssignmentFacts:
        state = self._state
        settings = state.settings
        return AssignmentFacts(
            is_known=key in state.held or state.seen.has(now, key),
            is_fenced=state.is_fenced,
            is_full=len(state.held) >= MAX_HELD,
            is_cancelled=state.cancels.has(now, key),
            has_handler=settings.handlers.serves(assignment.handler, assignment.definition_version),
            fits=settings.max_input == 0 or len(assignment.input.data) <= settings.max_input,
            is_draining=state.is_draining,
            has_credit=credit is not None,
            has_slot=state.slots.free > 0,
            may_wait=assignment.prefetch,
        )
