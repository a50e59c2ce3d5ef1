"""The handler process's side of attempts: starts them, stops them, hands back what came of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from muster.v1.assignment_pb2 import Assignment
from muster.worker.frame_writer import LateFrame
from muster.worker.handler_pool import HandlerPool
from muster.worker.handler_run import HandlerFunction, run_handler
from muster.worker.job_context import JobContext
from muster.worker.messages import Kind, run_frame
from muster.worker.stop_reason import StopReason

_logger = logging.getLogger("muster.worker")


class AttemptRunner:
    """Knows the handlers and the runs whose handler has not returned.

    Attributes:
        max_payload: Largest result or checkpoint that the control plane takes, in bytes. 0: not stated.
    """

    def __init__(self, handlers: Mapping[str, HandlerFunction], send: Callable[[bytes | LateFrame], None]) -> None:
        self._handlers = handlers
        self._send = send
        self._pool = HandlerPool()
        self._running: dict[int, JobContext] = {}
        self.max_payload = 0

    def busy_runs(self) -> tuple[int, ...]:
        """Returns the runs whose handlers have not returned."""
        return tuple(self._running.copy())

    def start(self, run_id: int, data: bytes) -> None:
        """Starts the handler of an attempt in a thread."""
        assignment = Assignment.FromString(data)
        function = self._handlers[assignment.handler]
        context = JobContext(run_id, assignment, self._send, self.max_payload)
        self._running[run_id] = context

        def work() -> None:
            report = run_handler(function, context, assignment, self.max_payload)
            del self._running[run_id]
            self._send(run_frame(Kind.RETURNED, run_id, report))

        self._pool.submit(work)

    def stop(self, run_id: int, reason: StopReason) -> None:
        """Asks a handler to stop, if it has not returned."""
        context = self._running.get(run_id)
        if context is not None:
            context.stop(reason)

    def stop_all(self, reason: StopReason) -> None:
        """Asks every handler to stop."""
        for context in list(self._running.copy().values()):
            context.stop(reason)
