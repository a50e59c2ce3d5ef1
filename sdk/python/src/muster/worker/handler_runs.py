"""Starts handlers, asks them to stop, and settles their attempts."""

from __future__ import annotations

import logging

from muster.durations import to_seconds
from muster.worker import reports
from muster.worker.attempt_key import AttemptKey
from muster.worker.held import HeldAttempt
from muster.worker.run_time import run_timeout_of
from muster.worker.session_event import SessionEvent
from muster.worker.session_state import DeferredReport, SessionState
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.attempt_report_pb2 import RELEASE_REASON_NOT_STARTED, AttemptReport
from muster.worker.v1.session_pb2 import ProgressUpdate

WAIT_SECONDS = 1.0
RUN_TIMEOUT_GRACE_SECONDS = 5.0
# Changed progress and checkpoints are sent within this time.
PROGRESS_SECONDS = 1.0


class HandlerRuns:
    """The rules for attempts between acceptance and report."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def start(self, now: float, key: AttemptKey, assignment: Assignment) -> None:
        """Starts the handler of an attempt; a slot must be free."""
        state = self._state
        run_id = state.slots.take()
        held = state.held.start(key, assignment, run_id, now)
        held.run_deadline = now + run_timeout_of(assignment)
        state.held.expect_deadline(held.run_deadline)
        state.ports.start_run(run_id, assignment)

    def stop(self, held: HeldAttempt, reason: StopReason) -> None:
        """Asks a handler to stop, once."""
        if held.stopped_for is None:
            held.stopped_for = reason
            self._state.ports.stop_run(held.run_id, reason)

    def returned(self, now: float, run_id: int, returned: AttemptReport | None) -> None:
        """Notes that a handler has returned, with its result or failure; None: neither is known."""
        state = self._state
        state.slots.give_back(run_id)
        held = state.held.returned(run_id)
        if held is not None:
            state.completions.note(now, held.started_at)
            if returned is not None and not held.is_settled:
                self._settle(held, returned)

    def progressed(self, now: float, update: ProgressUpdate) -> None:
        """Takes an update of a running handler."""
        key = (update.job_id, update.attempt)
        held = self._state.held.get(key)
        if held is None or held.is_settled:
            return
        if update.logs:
            self._state.ports.beat_for_logs()
        if update.sequence > 0:
            self._state.ports.beat_within(self._patience(now, held, update))
        self._state.progress.put(key, update)

    def _patience(self, now: float, held: HeldAttempt, update: ProgressUpdate) -> float:
        """Returns the seconds within which the control plane has to receive the update."""
        wait = PROGRESS_SECONDS
        if update.HasField("run_timeout_extension"):
            # The control plane ends an attempt soon after its run timeout, so an extension has to arrive before that.
            wait = min(wait, max(0.0, held.run_deadline - now))
            self._extend(held, update)
        return wait

    def tick(self, now: float) -> None:
        """Starts waiting attempts, releases those that waited too long, and stops those that run too long."""
        state = self._state
        self._start_waiting(now)
        while (waiting := state.held.oldest_waiting()) is not None and now >= waiting.accepted_at + WAIT_SECONDS:
            state.release_waiting(RELEASE_REASON_NOT_STARTED)
        for held in state.held.overdue(now):
            if not held.is_settled:
                self._stop_overdue(now, held)

    def enter_fence(self) -> None:
        """The lease can't be proved: releases waiting attempts, aborts handlers that may not continue without it."""
        state = self._state
        state.is_fenced = True
        state.ports.publish(SessionEvent.FENCED)
        state.ports.log(logging.WARNING, "the lease can't be proved any more: nothing new is accepted")
        state.credits.void_all()
        state.release_all_waiting(RELEASE_REASON_NOT_STARTED)
        for held in state.held.running():
            if not (held.is_settled or held.stopped_for or held.continues_without_lease):
                self.stop(held, StopReason.LEASE_LOST)
                held.is_settled = True
                state.report(held.key, reports.aborted(held.key))

    def stop_all(self, reason: StopReason) -> None:
        """Asks every handler of the session to stop."""
        for held in self._state.held.running():
            self.stop(held, reason)

    def fill_slots(self, now: float) -> None:
        """Called when a slot became free: starts a waiting attempt, or makes sure that the slot is granted again.

        A pending report grants it. A beat for each handler that returns while a batch is in flight would mean a beat
        every 60 ms under load; three of these can overtake their pings, and the control plane would take the session
        for deaf.
        """
        self._start_waiting(now)
        if not self._state.outbox.has_line:
            self._state.ports.beat_soon()

    def _start_waiting(self, now: float) -> None:
        state = self._state
        while state.slots.free > 0 and state.held.waiting_count > 0 and not state.is_fenced:
            held = state.held.next_waiting()
            assert held.assignment is not None
            self.start(now, held.key, held.assignment)

    def _extend(self, held: HeldAttempt, update: ProgressUpdate) -> None:
        """Moves the deadline by the new part of the extension; after the run timeout's signal it is too late."""
        if held.stopped_for is StopReason.RUN_TIMEOUT:
            update.ClearField("run_timeout_extension")
            return
        extension = to_seconds(update.run_timeout_extension)
        held.run_deadline += max(0.0, extension - held.extension)
        held.extension = max(held.extension, extension)

    def _settle(self, held: HeldAttempt, returned: AttemptReport) -> None:
        state = self._state
        held.is_settled = True
        report = reports.settle(returned, held.stopped_for)
        if report is None:
            return
        is_followed = report.WhichOneof("outcome") in ("failure", "suspended")
        if is_followed and state.progress.has_checkpoint(held.key):
            # The next attempt starts from the checkpoint, so the control plane must receive the checkpoint first.
            state.awaiting_beat[held.key] = DeferredReport(report)
            state.ports.beat_soon()
        else:
            state.report(held.key, report)

    def _stop_overdue(self, now: float, held: HeldAttempt) -> None:
        self.stop(held, StopReason.RUN_TIMEOUT)
        if now >= held.run_deadline + RUN_TIMEOUT_GRACE_SECONDS:
            held.is_settled = True
            self._state.report(held.key, reports.run_timeout(held.key))
