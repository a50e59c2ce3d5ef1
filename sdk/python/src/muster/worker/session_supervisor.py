"""Keeps a session process running for the handlers, and starts another one when it dies."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from muster.worker.attempt_runner import AttemptRunner
from muster.worker.backoff import Backoff
from muster.worker.call_relay import CallRelay
from muster.worker.children import ChildCalls, patient_client
from muster.worker.clock import monotonic_seconds
from muster.worker.frame_writer import LateFrame
from muster.worker.frames import FrameError
from muster.worker.handler_entry import HandlerEntry
from muster.worker.handler_loop import HandlerLoop
from muster.worker.handler_pool import HandlerPool
from muster.worker.lease_watch import LeaseWatch
from muster.worker.messages import Configuration, Kind, Terms, json_frame, read_json, read_run, read_stop, run_frame
from muster.worker.session_event import SessionEvent
from muster.worker.session_pipe import SessionPipe
from muster.worker.stop_reason import StopReason
from muster.worker.v1.session_service_pb2 import OpenSessionRequest

_FIRST_RETRY_SECONDS = 0.1
_LAST_RETRY_SECONDS = 5.0
# A session process that lived this long did not fail at its start.
_STEADY_SECONDS = 30.0
_MAX_FAILURES = 20

_logger = logging.getLogger("muster.session")


class WorkerError(Exception):
    """The worker can't continue: the control plane refuses it, or its session process keeps failing."""


class SessionSupervisor:
    """Runs in a thread of its own, which reads the frames of the session process.

    Attributes:
        session_id: The current session's UUID; None while there is none.
        session_pid: Process id of the session process; None before the first start.
    """

    def __init__(
        self,
        address: str,
        request: OpenSessionRequest,
        handlers: Mapping[str, HandlerEntry],
        *,
        loop: HandlerLoop,
        listener: Callable[[SessionEvent], object],
    ) -> None:
        self._address = address
        self._request = request
        self._listener = listener
        children = ChildCalls(lambda: patient_client(address, request.namespace), lambda: self.session_id)
        self._runner = AttemptRunner(
            handlers, self._send, HandlerPool().submit, loop, children, relay=CallRelay(address)
        )
        self._lease = LeaseWatch(self._on_lease_passed)
        self._pipe: SessionPipe | None = None
        self._pipe_lock = threading.Lock()
        self._drain_seconds: float | None = None
        self._is_over = False
        self._refusal: str | None = None
        self._opened = threading.Event()
        self.session_id: str | None = None
        self.session_pid: int | None = None

    def wait_open(self, seconds: float) -> bool:
        """Waits until a session is open; returns whether one is."""
        return self._opened.wait(seconds)

    def run(self) -> None:
        """Runs until the worker is drained.

        Raises:
            WorkerError: The worker can't continue.
        """
        try:
            self._serve()
        finally:
            self._runner.close()

    def _serve(self) -> None:
        backoff = Backoff(_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS, random.random)
        pause = threading.Event()
        while not self._is_over:
            started_at = monotonic_seconds()
            code = self._serve_once()
            if self._refusal is not None:
                raise WorkerError(self._refusal)
            if self._is_over or self._drain_seconds is not None:
                return
            if monotonic_seconds() - started_at >= _STEADY_SECONDS:
                backoff.succeed()
            _logger.error("the session process ended with code %d; starting another one", code)
            if backoff.failures >= _MAX_FAILURES:
                raise WorkerError(f"the session process ended {backoff.failures} times in a row")
            pause.wait(backoff.fail())

    def drain(self, seconds: float) -> None:
        """Finishes the held attempts; handlers that still run after this many seconds are asked to stop."""
        with self._pipe_lock:
            self._drain_seconds = seconds
            if self._pipe is not None:
                self._pipe.send(json_frame(Kind.DRAIN, seconds))

    def resize(self, slots: int) -> None:
        """Changes the number of slots."""
        with self._pipe_lock:
            self._request.slots = slots
            if self._pipe is not None:
                self._pipe.send(json_frame(Kind.RESIZE, slots))

    def kill(self) -> None:
        """Ends the session process at once."""
        self._is_over = True
        with self._pipe_lock:
            if self._pipe is not None:
                self._pipe.hang_up()

    def _serve_once(self) -> int:
        """Runs as long as one session process and returns its exit code."""
        with self._pipe_lock:
            if self._drain_seconds is not None:
                return 0
            configuration = Configuration(self._address, self._request, self._runner.busy_runs())
            self._pipe = pipe = SessionPipe(configuration)
        self.session_pid = pipe.pid
        try:
            # A handler that returned while there was no pipe could not report it.
            for run_id in set(configuration.busy_runs) - set(self._runner.busy_runs()):
                pipe.send(run_frame(Kind.RETURNED, run_id))
            for kind, body in pipe.frames(self._lease):
                self._on_frame(kind, body)
        except FrameError:
            _logger.exception("the session process does not speak frames")
        finally:
            with self._pipe_lock:
                self._pipe = None
            try:
                self._no_session()
            finally:
                code = pipe.close()  # also after an error: else the process would beat on for a worker that is gone
        return code

    def _forget_session(self) -> None:
        self._lease.forget()
        self.session_id = None
        self._opened.clear()

    def _no_session(self) -> None:
        if self.session_id is not None:
            self._forget_session()
            self._notify(SessionEvent.LOST)
        self._runner.stop_all(StopReason.LEASE_LOST)

    def _on_lease_passed(self) -> None:
        # First, so that the session takes nothing that follows from it for a failure of a handler.
        self._send(json_frame(Kind.FENCED, None))
        self._runner.fence()

    def _send(self, data: bytes | LateFrame) -> None:
        pipe = self._pipe
        if pipe is not None:
            pipe.send(data)

    def _on_frame(self, kind: int, body: bytes) -> None:
        if kind == Kind.START:
            self._runner.start(*read_run(body))
        elif kind == Kind.STOP:
            self._runner.stop(*read_stop(body))
        elif kind == Kind.LEASE:
            self._lease.proved(read_json(body))
        elif kind == Kind.EVENT:
            self._on_event(json.loads(body))
        elif kind == Kind.REFUSED:
            self._refusal = json.loads(body)
        elif kind == Kind.LOG:
            line = json.loads(body)
            _logger.log(line["level"], "%s", line["message"])

    def _on_event(self, facts: Mapping[str, Any]) -> None:
        event = SessionEvent(facts["event"])
        if event is SessionEvent.OPENED:
            self.session_id = facts["session_id"]
            self._runner.terms = Terms(
                facts["max_payload"], facts["session_id"], self._address, self._request.namespace
            )
            self._opened.set()
            _logger.info("session %s is open", self.session_id)
        elif event is SessionEvent.LOST:
            self._forget_session()
        elif event is SessionEvent.CLOSED:
            self._forget_session()
            self._is_over = True
        self._notify(event)

    def _notify(self, event: SessionEvent) -> None:
        try:
            self._listener(event)
        except Exception:
            _logger.exception("the listener of session events raised an exception")
