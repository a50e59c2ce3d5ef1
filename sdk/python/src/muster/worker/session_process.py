"""The session process: opens successive sessions for the handlers at the other end of its pipe."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import sys
import traceback
import uuid
from typing import Any

import grpc

from muster.durations import to_seconds
from muster.errors import MusterError
from muster.worker.backoff import Backoff
from muster.worker.clock import monotonic_seconds
from muster.worker.handler_link import HandlerLink
from muster.worker.handler_set import HandlerSet
from muster.worker.messages import Configuration, Kind, read_json, read_run
from muster.worker.session_calls import OPEN_FIRST_RETRY_SECONDS, OPEN_LAST_RETRY_SECONDS, SessionCalls
from muster.worker.session_event import SessionEvent
from muster.worker.session_life import SessionEnd, SessionLife, wait_for_event
from muster.worker.session_settings import SessionSettings
from muster.worker.slot_table import SlotTable
from muster.worker.v1.attempt_report_pb2 import AttemptReport
from muster.worker.v1.session_pb2 import ProgressUpdate
from muster.worker.v1.session_service_pb2 import OpenSessionRequest

_PARENT_CHECK_SECONDS = 0.5
# The kernel closes the pipe of a process that dies before it gives its children another parent.
_DEATH_SECONDS = 1.0
_DEATH_CHECK_SECONDS = 0.02
_CLOSE_TRIES = 2
# Within this time a retry of OpenSession repeats the same request; later retries ask for a new session.
_SAME_REQUEST_SECONDS = 5.0
# After a session that was lost within this time, the next one is opened after about the same time.
_SHORT_SESSION_SECONDS = 1.0
_REFUSALS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


class SessionProcess:
    """Routes frames to the current session, and replaces a session that is lost."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._configured: asyncio.Future[Configuration] = loop.create_future()
        self._drain_wanted = asyncio.Event()
        self._drain_seconds = 0.0
        self._life: SessionLife | None = None
        self._session_id: bytes | None = None
        self._slots = SlotTable(0)
        self._hung_up = asyncio.Event()

    async def run(self, end: socket.socket, parent: int) -> None:
        """Runs until the worker is drained or refused, or the parent is gone or hangs up."""
        loop = asyncio.get_running_loop()
        link = await HandlerLink.open(end, self._on_frame, self._hung_up.set)
        watch = loop.create_task(self._watch_parent(parent))
        first: set[asyncio.Future[Any]] = {self._configured, watch}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if self._configured.done():
            await self._run_configured(self._configured.result(), link, watch, parent)

    async def _run_configured(
        self, configuration: Configuration, link: HandlerLink, watch: asyncio.Task[None], parent: int
    ) -> None:
        self._slots = SlotTable(configuration.request.slots, configuration.busy_runs)
        calls = SessionCalls(configuration.address)
        serving = asyncio.get_running_loop().create_task(self._serve(configuration, calls, link))
        try:
            await asyncio.wait({serving, watch}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                serving.cancel()  # It must not beat for handlers that are gone.
                await asyncio.wait({serving}, timeout=_DEATH_SECONDS)
                if self._session_id is not None and await _has_died(parent):
                    await _close_session(calls, self._session_id, link, is_worker_lost=True)
                os._exit(0)
            serving.result()
            link.publish(SessionEvent.CLOSED)
        except MusterError as error:
            link.refuse(str(error))
        except Exception:  # noqa: BLE001 - logged by the worker's process, which starts another session process
            link.log(logging.CRITICAL, f"the session process fails: {traceback.format_exc()}")
        finally:
            watch.cancel()
            await calls.close()
            link.close()

    async def _serve(self, configuration: Configuration, calls: SessionCalls, link: HandlerLink) -> None:
        while True:
            opened = await self._open(configuration, calls, link)
            if opened is None:
                return
            self._life, self._session_id = opened
            if self._drain_wanted.is_set():
                self._life.drain(self._drain_seconds)
            session_id = str(uuid.UUID(bytes=self._session_id))
            link.publish(SessionEvent.OPENED, session_id=session_id, max_payload=self._life.max_payload)
            opened_at = monotonic_seconds()
            end = await self._life.run()
            self._life = None
            if end is SessionEnd.DRAINED:
                await _close_session(calls, self._session_id, link)
                return
            self._session_id = None
            link.publish(SessionEvent.LOST)
            link.log(logging.WARNING, "the session is lost; opening a new one")
            if monotonic_seconds() - opened_at < _SHORT_SESSION_SECONDS:
                await self._pause(_SHORT_SESSION_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _open(
        self, configuration: Configuration, calls: SessionCalls, link: HandlerLink
    ) -> tuple[SessionLife, bytes] | None:
        """Opens a session; None: the worker should stop.

        Raises:
            MusterError: The control plane refuses this worker.
        """
        backoff = Backoff(OPEN_FIRST_RETRY_SECONDS, OPEN_LAST_RETRY_SECONDS, random.random)
        request = OpenSessionRequest()
        request.CopyFrom(configuration.request)
        request.slots = self._slots.total
        asked_since = float("-inf")
        while not self._drain_wanted.is_set():
            sent_at = monotonic_seconds()
            if sent_at - asked_since >= _SAME_REQUEST_SECONDS:
                request.request_id, asked_since = str(uuid.uuid4()), sent_at
            try:
                opened = await calls.open_session(request)
            except MusterError as error:
                if error.is_lease_lost:
                    # A lost answer had opened a session, which has lapsed meanwhile: ask for another one.
                    asked_since = float("-inf")
                elif error.code in _REFUSALS:
                    raise
                link.log(logging.WARNING, f"opening a session: {error}")
                await self._pause(max(backoff.fail(), min(error.retry_after or 0.0, OPEN_LAST_RETRY_SECONDS)))
                continue
            settings = SessionSettings(
                session_id=opened.session_id,
                lease=to_seconds(opened.lease),
                beat_interval=to_seconds(opened.beat_interval),
                # A retry returns the session of a lost answer, whose lease has run since then.
                opened_at=asked_since,
                handlers=HandlerSet.of(configuration.request.handlers),
                max_payload=opened.max_payload,
                max_input=configuration.max_input,
            )
            return SessionLife(opened, settings, calls, link, self._slots), opened.session_id
        return None

    async def _watch_parent(self, parent: int) -> None:
        """A pipe stays open as long as another child of the parent has it, so the parent itself is watched as well."""
        while os.getppid() == parent and not self._hung_up.is_set():
            await wait_for_event(self._hung_up, _PARENT_CHECK_SECONDS)

    async def _pause(self, seconds: float) -> None:
        await wait_for_event(self._drain_wanted, seconds)

    def _on_frame(self, kind: int, body: bytes) -> None:
        if kind == Kind.RETURNED:
            self._on_returned(*read_run(body))
        elif kind == Kind.PROGRESS:
            if self._life is not None:
                self._life.on_progress(ProgressUpdate.FromString(read_run(body)[1]))
        elif kind == Kind.CONFIGURE:
            self._configured.set_result(Configuration.from_body(body))
        elif kind == Kind.FENCED:
            if self._life is not None:
                self._life.on_fenced()
        elif kind == Kind.RESIZE:
            self._resize(read_json(body))
        elif kind == Kind.DRAIN:
            self._drain(read_json(body))

    def _on_returned(self, run_id: int, report: bytes) -> None:
        if self._life is None:
            self._slots.give_back(run_id)
        else:
            self._life.on_returned(run_id, AttemptReport.FromString(report) if report else None)

    def _resize(self, slots: int) -> None:
        self._slots.total = slots
        if self._life is not None:
            self._life.resize(slots)

    def _drain(self, seconds: float) -> None:
        self._drain_seconds = seconds
        self._drain_wanted.set()
        if self._life is not None:
            self._life.drain(seconds)


async def _close_session(
    calls: SessionCalls, session_id: bytes, link: HandlerLink, *, is_worker_lost: bool = False
) -> None:
    """Gives unreported attempts back at once. A session that can't be closed lapses by itself."""
    for _ in range(_CLOSE_TRIES):
        try:
            await calls.close_session(session_id, is_worker_lost=is_worker_lost)
        except MusterError as error:
            link.log(logging.WARNING, f"closing the session: {error}")
        else:
            return


async def _has_died(parent: int) -> bool:
    """Whether the parent is gone, and each handler with it: elsewhere one with its own process may run for a while."""
    until = monotonic_seconds() + _DEATH_SECONDS
    while os.getppid() == parent and monotonic_seconds() < until:  # noqa: ASYNC110 - there is no notification
        await asyncio.sleep(_DEATH_CHECK_SECONDS)
    return sys.platform == "linux" and os.getppid() != parent


async def _run(descriptor: int, parent: int) -> None:
    await SessionProcess().run(socket.socket(fileno=descriptor), parent)


def main(descriptor: int, parent: int) -> None:
    """Entry point of the child process.

    Args:
        descriptor: The connected socket to the worker's process.
        parent: Process id of the worker.
    """
    # The worker's process decides when to stop; a signal to the whole process group is meant for it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    asyncio.run(_run(descriptor, parent))
