"""One session without I/O: what it accepts, holds, grants and reports, and when it stops."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from muster.worker import reports
from muster.worker.grants import Grants
from muster.worker.handler_runs import HandlerRuns
from muster.worker.intake import Intake
from muster.worker.pending_calls import PendingBeat, PendingReport
from muster.worker.session_event import SessionEvent
from muster.worker.session_ports import SessionPorts
from muster.worker.session_settings import SessionSettings
from muster.worker.session_state import CHECKPOINT_TRIES, SessionState
from muster.worker.slot_table import SlotTable
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import SessionMessage
from muster.worker.v1.attempt_report_pb2 import (
    RELEASE_REASON_DRAIN,
    REPORT_RESULT_ACCEPTED,
    REPORT_RESULT_DUPLICATE,
    REPORT_RESULT_LEASE_LOST,
    AttemptReport,
)
from muster.worker.v1.session_pb2 import ProgressUpdate
from muster.worker.v1.session_service_pb2 import ReportAttemptsRequest, SendHeartbeatRequest, SendHeartbeatResponse

_ACKNOWLEDGED = frozenset({REPORT_RESULT_ACCEPTED, REPORT_RESULT_DUPLICATE, REPORT_RESULT_LEASE_LOST})


class SessionCore:
    """Owns credits, held list and acceptance of one session.

    Time is passed in as `now`, in seconds of the worker's monotonic clock; actions go out through the ports.
    """

    def __init__(self, settings: SessionSettings, ports: SessionPorts, slots: SlotTable) -> None:
        self._state = SessionState(settings, ports, slots)
        self._grants = Grants(self._state)
        self._runs = HandlerRuns(self._state)
        self._intake = Intake(self._state, self._runs)
        self._is_ready = False

    @property
    def is_fenced(self) -> bool:
        """Whether the lease could not be proved at the last check of the clock."""
        return self._state.is_fenced

    @property
    def proved_until(self) -> float:
        """When the fence falls unless another heartbeat is answered."""
        return self._state.fence.at

    @property
    def is_draining(self) -> bool:
        """Whether the worker accepts nothing more."""
        return self._state.is_draining

    @property
    def is_drained(self) -> bool:
        """Whether the worker drains and has nothing left to run or to report."""
        state = self._state
        return state.is_draining and not (state.held.running_count or len(state.outbox) or state.awaiting_beat)

    # ---- input

    def on_message(self, now: float, message: SessionMessage) -> None:
        """Takes a message of the bus."""
        if self._state.is_lost:
            return
        self._observe(now)
        for notice in message.cancels:
            self._intake.on_cancel(now, notice)
        self._intake.on_assignments(now, message.assignments)
        for request in message.suspends:
            self._intake.on_suspend(request)
        if message.ping:
            self._grants.on_ping(message.ping)

    def on_returned(self, now: float, run_id: int, returned: AttemptReport | None) -> None:
        """Notes that a handler has returned, also one of an earlier session, which frees its slot."""
        if self._state.is_lost:
            self._state.slots.give_back(run_id)
            return
        # The work is done, even if the lease can't be proved now: the control plane decides whether the outcome counts.
        self._runs.returned(now, run_id, returned)
        self._observe(now)
        self._runs.fill_slots(now)

    def on_progress(self, now: float, update: ProgressUpdate) -> None:
        """Takes an update of a running handler."""
        self._runs.progressed(now, update)

    def on_fenced(self) -> None:
        """Notes that the worker stopped the handlers: this process has not proved the lease in time."""
        if not (self._state.is_lost or self._state.is_fenced):
            self._runs.enter_fence()

    def on_bus_broken(self) -> None:
        """Notes that the connection to the bus is gone."""
        self._grants.on_bus_broken()

    def on_calls_broken(self) -> None:
        """Notes that the connection of the calls is gone, and with it perhaps the replica that had the credits."""
        self._grants.void_all()

    def resize(self, slots: int) -> None:
        """Changes the number of slots."""
        self._state.slots.total = slots
        self._grants.start_anew()

    def tick(self, now: float) -> None:
        """Handles everything that is due; call it ten times per second."""
        if self._state.is_lost:
            return
        self._observe(now)
        self._state.seen.purge(now)
        self._state.cancels.purge(now)
        self._runs.tick(now)

    def _observe(self, now: float) -> None:
        self._state.credits.expire(now)
        if not self._state.is_fenced and self._state.fence.is_passed(now):
            self._runs.enter_fence()

    # ---- heartbeats

    def begin_beat(self, now: float) -> PendingBeat:
        """Makes the next heartbeat, with the credits that it grants."""
        state = self._state
        self._observe(now)
        granted = self._grants.for_beat(now)
        request = SendHeartbeatRequest(
            session_id=state.settings.session_id,
            held_attempts=state.held.messages(),
            credits=granted,
            voided_credit_ids=state.credits.voided(),
            progress=state.progress.next_updates(),
            ping_echo=self._grants.highest_ping,
            draining=state.is_draining,
        )
        return PendingBeat(request, now)

    def end_beat(self, now: float, beat: PendingBeat, reply: SendHeartbeatResponse) -> None:
        """Takes the answer to a heartbeat."""
        state = self._state
        if state.is_lost:
            return
        state.fence.extend(beat.sent_at)
        state.credits.confirm_voided(beat.request.voided_credit_ids)
        state.progress.confirm(beat.request.progress)
        self._grants.on_reply(reply)
        if beat.request.credits and not self._is_ready:
            self._is_ready = True
            state.ports.publish(SessionEvent.READY)
        if state.is_fenced and not state.fence.is_passed(now):
            state.is_fenced = False
            state.ports.publish(SessionEvent.RECOVERED)
            state.ports.log(logging.INFO, "the lease is proved again")
            state.ports.beat_soon()
        self._follow(now, beat, reply)
        self._send_deferred()

    def _follow(self, now: float, beat: PendingBeat, reply: SendHeartbeatResponse) -> None:
        for notice in reply.cancels:
            self._intake.on_cancel(now, notice, beat.sent_at)
        if reply.drain:
            self.drain(now)
        self._intake.on_assignments(now, reply.assignments)
        for request in reply.suspends:
            self._intake.on_suspend(request)
        if reply.reconnect_bus:
            self._state.ports.reconnect_bus(list(reply.nats_urls))

    def fail_beat(self, now: float, beat: PendingBeat, *, is_broken: bool) -> None:
        """Notes that a heartbeat failed.

        Args:
            now: The current time.
            beat: The heartbeat.
            is_broken: Whether the connection broke, and with it perhaps the replica that had the credits.
        """
        if self._state.is_lost:
            return
        self._grants.forget(beat.request.credits, is_broken=is_broken)
        for update in beat.request.progress:
            self._state.checkpoint_failed((update.job_id, update.attempt))
        self._send_deferred()
        self._observe(now)

    def refuse_beat(self, now: float, beat: PendingBeat) -> None:
        """Notes that a heartbeat was refused for its content: drops the updates of handlers in it."""
        self._state.progress.confirm(beat.request.progress)
        self.fail_beat(now, beat, is_broken=False)

    def _send_deferred(self) -> None:
        """Sends the failures whose checkpoint was delivered or failed too often; the others wait for one more beat."""
        state = self._state
        deferred, state.awaiting_beat = state.awaiting_beat, {}
        for key, waiting in deferred.items():
            if state.progress.has_checkpoint(key) and waiting.failures < CHECKPOINT_TRIES:
                state.awaiting_beat[key] = waiting
                state.ports.beat_soon()
            else:
                state.report(key, waiting.report)

    # ---- reports

    @property
    def has_report_due(self) -> bool:
        """Whether there is a call of ReportAttempts to make."""
        return not self._state.is_lost and self._state.outbox.is_ready

    def begin_report(self, now: float) -> PendingReport | None:
        """Makes the next call of ReportAttempts, with credits for the slots that it frees; None: nothing to send."""
        state = self._state
        if not self.has_report_due:
            return None
        self._observe(now)
        batch = state.outbox.take()
        request = ReportAttemptsRequest(
            session_id=state.settings.session_id,
            reports=[report for _, report in batch],
            credits=self._grants.for_report(now),
            voided_credit_ids=state.credits.voided(),
        )
        return PendingReport(request, batch)

    def end_report(self, pending: PendingReport, results: Iterable[int]) -> bool:
        """Takes the results of the reports.

        Returns:
            Whether every report was answered; reports without a clear answer are sent again.
        """
        state = self._state
        state.credits.confirm_voided(pending.request.voided_credit_ids)
        answers = dict(zip((key for key, _ in pending.batch), results, strict=False))
        for key, result in answers.items():
            if result in _ACKNOWLEDGED:
                state.held.acknowledged(key)
                state.progress.drop(key)
        unanswered = [item for item in pending.batch if answers.get(item[0]) not in _ACKNOWLEDGED]
        state.outbox.settle(pending.batch, unanswered)
        return not unanswered

    def fail_report(self, pending: PendingReport, *, is_broken: bool) -> None:
        """Notes that the outcome of a call is unknown; the same reports are sent again."""
        self._grants.forget(pending.request.credits, is_broken=is_broken)
        self._state.outbox.settle(pending.batch, pending.batch)

    def refuse_report(self, pending: PendingReport, why: str) -> None:
        """Notes that a call was refused for its content: finds the report and replaces it by a failure."""
        state = self._state
        self._grants.forget(pending.request.credits, is_broken=False)
        if len(pending.batch) > 1:
            state.outbox.isolate(pending.batch)
            return
        key, report = pending.batch[0]
        state.outbox.settle(pending.batch, [])
        state.ports.log(logging.ERROR, f"a report was refused: {why}")
        if report.failure.type == reports.REFUSED_TYPE:
            state.held.acknowledged(key)
        else:
            state.report(key, reports.refused(key, why))

    # ---- the end

    def drain(self, now: float) -> None:
        """Accepts nothing more and finishes the held attempts."""
        state = self._state
        if state.is_draining or state.is_lost:
            return
        self._observe(now)
        state.is_draining = True
        state.ports.publish(SessionEvent.DRAINING)
        state.credits.void_all()
        state.release_all_waiting(RELEASE_REASON_DRAIN)
        state.ports.beat_soon()

    def shut_down(self, now: float) -> None:
        """Drains, and asks running handlers to stop."""
        self.drain(now)
        self._runs.stop_all(StopReason.SHUTDOWN)

    def lose(self) -> None:
        """Stops everything, because the control plane has closed the session; results are dropped."""
        if not self._state.is_lost:
            self._state.is_lost = True
            self._runs.stop_all(StopReason.LEASE_LOST)
