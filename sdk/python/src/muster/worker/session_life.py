"""One session, from its opening to its end: drives the core with real time, calls and messages."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine
from enum import Enum
from typing import Any

import grpc

from muster.durations import to_seconds
from muster.errors import MusterError
from muster.worker.beat_schedule import MIN_GAP_SECONDS, BeatSchedule
from muster.worker.bus_credentials import BusCredentials
from muster.worker.clock import monotonic_seconds
from muster.worker.handler_link import HandlerLink
from muster.worker.outbox import MAX_FLIGHTS
from muster.worker.pending_calls import PendingBeat
from muster.worker.report_sender import ReportSender
from muster.worker.session_bus import SessionBus
from muster.worker.session_calls import SessionCalls
from muster.worker.session_core import SessionCore
from muster.worker.session_event import SessionEvent
from muster.worker.session_settings import SessionSettings
from muster.worker.slot_table import SlotTable
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment, SessionMessage
from muster.worker.v1.attempt_report_pb2 import AttemptReport
from muster.worker.v1.session_pb2 import ProgressUpdate
from muster.worker.v1.session_service_pb2 import OpenSessionResponse, SendHeartbeatResponse

TICK_SECONDS = 0.1
# After a broken connection, workers beat at random times within this interval, so that they do not all come at once.
RECONNECT_SPREAD_SECONDS = 0.5
# A new subscription gets this long to deliver a ping before it may be replaced.
HEARING_SECONDS = 1.0
_SHUTDOWN_GRACE_SECONDS = 5.0
# A cancellation may get lost: before Python 3.12 `wait_for`, which the NATS client uses, swallows one that coincides
# with a result. So a task is cancelled repeatedly until it has ended.
_CANCEL_AGAIN_SECONDS = 0.5
_MAX_CANCELS = 10


class SessionEnd(Enum):
    """How a session ended."""

    LOST = "lost"
    DRAINED = "drained"


class SessionLife:
    """Implements the core's ports and runs its loops: beats, reports, ticks, bus."""

    def __init__(
        self,
        opened: OpenSessionResponse,
        settings: SessionSettings,
        calls: SessionCalls,
        link: HandlerLink,
        slots: SlotTable,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._link = link
        self._credentials = BusCredentials(opened.nats_credentials)
        self._bus = SessionBus(list(opened.nats_urls), opened.subject, self._credentials, self)
        self._core = SessionCore(settings, self, slots)
        self._schedule = BeatSchedule(monotonic_seconds(), settings.beat_interval, settings.lease, random.random)
        self._beat_wanted = asyncio.Event()
        self._reports = ReportSender(self._core, calls, self._lose, self.log)
        self._end: asyncio.Future[SessionEnd] = asyncio.get_running_loop().create_future()
        self._bus_ready_at = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop_at: float | None = None

    @property
    def max_payload(self) -> int:
        """Maximum size of a result or checkpoint, in bytes. 0: not stated."""
        return self._settings.max_payload

    async def run(self) -> SessionEnd:
        """Runs until the session is lost or drained."""
        self._calls.when_broken(self._on_calls_broken)
        self._link.prove_lease(self._core.proved_until)
        senders = (self._reports.run() for _ in range(MAX_FLIGHTS))
        for loop in (self._beat_loop(), self._tick_loop(), self._bus.run(), *senders):
            self._spawn(loop)
        try:
            return await self._end
        finally:
            self._calls.when_broken(lambda: None)
            await self._stop_tasks()

    def on_returned(self, run_id: int, report: AttemptReport | None) -> None:
        """Takes the outcome of a handler that has returned."""
        self._core.on_returned(monotonic_seconds(), run_id, report)

    def on_progress(self, update: ProgressUpdate) -> None:
        """Takes an update of a running handler."""
        self._core.on_progress(monotonic_seconds(), update)

    def on_fenced(self) -> None:
        """Notes that the worker stopped the handlers because the lease was not proved in time."""
        self._core.on_fenced()

    def resize(self, slots: int) -> None:
        """Changes the number of slots."""
        self._core.resize(slots)

    def drain(self, seconds: float) -> None:
        """Finishes the held attempts; handlers that still run after this many seconds are asked to stop."""
        now = monotonic_seconds()
        self._stop_at = now + seconds
        self._core.drain(now)

    # ---- ports of the core

    def start_run(self, run_id: int, assignment: Assignment) -> None:
        """Part of SessionPorts."""
        self._link.start_run(run_id, assignment)

    def stop_run(self, run_id: int, reason: StopReason) -> None:
        """Part of SessionPorts."""
        self._link.stop_run(run_id, reason)

    def beat_soon(self) -> None:
        """Part of SessionPorts."""
        self._schedule.want()
        self._beat_wanted.set()

    def beat_within(self, seconds: float) -> None:
        """Part of SessionPorts."""
        self._schedule.want(monotonic_seconds() + seconds)
        self._beat_wanted.set()

    def beat_for_logs(self) -> None:
        """Part of SessionPorts."""
        self._schedule.want_for_logs(monotonic_seconds())
        self._beat_wanted.set()

    def report_soon(self) -> None:
        """Part of SessionPorts."""
        self._reports.wake()

    def reconnect_bus(self, urls: list[str]) -> None:
        """Part of SessionPorts. A new connection gets time to deliver a ping before it is replaced."""
        if urls:
            self._bus.move(urls)
        if monotonic_seconds() >= self._bus_ready_at + HEARING_SECONDS:
            self.log(logging.WARNING, "the control plane says that this session is deaf; reconnecting to the bus")
            self._spawn(self._bus.reconnect())

    def publish(self, event: SessionEvent) -> None:
        """Part of SessionPorts."""
        self._link.publish(event)

    def log(self, level: int, message: str) -> None:
        """Part of SessionPorts and of BusListener."""
        self._link.log(level, message)

    # ---- the bus

    def on_bus_message(self, message: SessionMessage) -> None:
        """Part of BusListener."""
        self._core.on_message(monotonic_seconds(), message)

    def on_bus_ready(self) -> None:
        """Part of BusListener. The beat causes a ping, and the ping the credits."""
        is_first = self._bus_ready_at == float("-inf")
        self._bus_ready_at = monotonic_seconds()
        self.beat_within(0.0 if is_first else random.random() * RECONNECT_SPREAD_SECONDS)  # noqa: S311 - no secret

    def on_bus_broken(self) -> None:
        """Part of BusListener."""
        self._core.on_bus_broken()

    def _on_calls_broken(self) -> None:
        self._core.on_calls_broken()
        self.beat_within(random.random() * RECONNECT_SPREAD_SECONDS)  # noqa: S311 - no secret

    # ---- loops

    async def _beat_loop(self) -> None:
        while True:
            wait = self._schedule.due - monotonic_seconds()
            if self._schedule.is_full:
                wait = max(wait, MIN_GAP_SECONDS)
            if wait > 0:
                self._beat_wanted.clear()
                await wait_for_event(self._beat_wanted, wait)
                continue
            # Not awaited: a slow answer never delays the next beat.
            beat = self._core.begin_beat(monotonic_seconds())
            self._schedule.sent(beat.sent_at)
            self._spawn(self._await_answer(beat))

    async def _await_answer(self, beat: PendingBeat) -> None:
        try:
            reply = await self._calls.heartbeat(beat.request, self._schedule.deadline)
        except MusterError as error:
            self._beat_failed(beat, error)
        else:
            self._beat_answered(beat, reply)
        self._beat_wanted.set()  # the answer may have changed when the next one is due

    def _beat_answered(self, beat: PendingBeat, reply: SendHeartbeatResponse) -> None:
        now = monotonic_seconds()
        if reply.HasField("nats_credentials"):
            self._credentials.renew(reply.nats_credentials)
        self._schedule.answered(beat.sent_at, now, to_seconds(reply.next_beat) if reply.HasField("next_beat") else None)
        self._core.end_beat(now, beat, reply)
        self._link.prove_lease(self._core.proved_until)

    def _beat_failed(self, beat: PendingBeat, error: MusterError) -> None:
        if error.is_lease_lost:
            self._lose()
            return
        self.log(logging.WARNING, f"heartbeat: {error}")
        now = monotonic_seconds()
        self._schedule.failed(now, error.retry_after)
        if error.code is grpc.StatusCode.INVALID_ARGUMENT:
            self._core.refuse_beat(now, beat)
        else:
            self._core.fail_beat(now, beat, is_broken=error.code is grpc.StatusCode.UNAVAILABLE)

    async def _tick_loop(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = monotonic_seconds()
            self._core.tick(now)
            if self._stop_at is not None and now >= self._stop_at:
                self._core.shut_down(now)
                if now >= self._stop_at + _SHUTDOWN_GRACE_SECONDS:
                    self._finish(SessionEnd.DRAINED)
            self._end_if_drained()

    # ---- the end

    def _end_if_drained(self) -> None:
        if self._core.is_drained:
            self._finish(SessionEnd.DRAINED)

    def _lose(self) -> None:
        self._core.lose()
        self._finish(SessionEnd.LOST)

    def _finish(self, end: SessionEnd) -> None:
        if not self._end.done():
            self._end.set_result(end)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._end.done():
            return
        if task.cancelled():
            self._end.set_exception(RuntimeError("a task of the session was cancelled before the session ended"))
        elif (error := task.exception()) is not None:
            self._end.set_exception(error)

    async def _stop_tasks(self) -> None:
        tasks = set(self._tasks)
        for _ in range(_MAX_CANCELS):
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            _, tasks = await asyncio.wait(tasks, timeout=_CANCEL_AGAIN_SECONDS)


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Waits until the event is set or the time is up."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
