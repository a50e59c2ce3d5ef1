"""Runs attempts in the worker's process: starts handlers, stops them, and returns their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from muster.worker.call_relay import CallRelay
from muster.worker.children import ChildCalls
from muster.worker.frame_writer import LateFrame
from muster.worker.handler_entry import HandlerEntry
from muster.worker.handler_loop import HandlerLoop
from muster.worker.handler_run import run_async_handler, run_handler
from muster.worker.job_context import JobContext
from muster.worker.messages import Kind, Terms, run_frame
from muster.worker.process_runs import ProcessRuns
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.attempt_report_pb2 import AttemptReport


class AttemptRunner:
    """Holds the handlers, and the runs whose handler has not returned.

    Args:
        handlers: The handlers by name.
        send: Sends frames to the session process.
        submit: Runs a synchronous handler, for example in a thread. The function that it receives does not raise.
        loop: Runs asynchronous handlers.
        children: Submits and reads children of jobs whose handlers run here. None: handlers can't have children.
        relay: Makes the calls of handlers in processes. None: there are no such handlers.

    Attributes:
        terms: The terms of the current session.
    """

    def __init__(
        self,
        handlers: Mapping[str, HandlerEntry],
        send: Callable[[bytes | LateFrame], None],
        submit: Callable[[Callable[[], None]], None],
        loop: HandlerLoop,
        children: ChildCalls | None = None,
        *,
        relay: CallRelay | None = None,
    ) -> None:
        self._children = children
        self._handlers = handlers
        self._send = send
        self._submit = submit
        self._loop = loop
        in_processes = {name: one.function for name, one in handlers.items() if one.kill_after is not None}
        self._processes = ProcessRuns(in_processes, send, relay)
        self._running: dict[int, JobContext] = {}
        self.terms = Terms()

    def busy_runs(self) -> tuple[int, ...]:
        """Returns the runs whose handlers have not returned."""
        return (*self._running.copy(), *self._processes.busy_runs())

    def start(self, run_id: int, data: bytes) -> None:
        """Starts the handler of an attempt: in a process, in the event loop if it is asynchronous, or in a thread."""
        assignment = Assignment.FromString(data)
        handler = self._handlers[assignment.handler]
        if handler.kill_after is None:
            self._start_here(run_id, handler, assignment)
        else:
            self._processes.start(run_id, assignment, kill_after=handler.kill_after, terms=self.terms)

    def _start_here(self, run_id: int, handler: HandlerEntry, assignment: Assignment) -> None:
        context = JobContext(run_id, assignment, self._send, self.terms.max_payload, self._children)
        self._running[run_id] = context

        async def task() -> None:
            self._returned(run_id, await run_async_handler(handler, context))

        if handler.is_async:
            self._loop.submit(task, context)
        else:
            self._submit(lambda: self._returned(run_id, run_handler(handler, context)))

    def stop(self, run_id: int, reason: StopReason) -> None:
        """Asks a handler to stop, if it has not returned."""
        context = self._running.get(run_id)
        if context is None:
            self._processes.stop(run_id, reason)
        else:
            context.stop(reason)

    def fence(self) -> None:
        """Asks the handlers to stop that may not continue without a lease."""
        for context in list(self._running.copy().values()):
            if not context.continues_without_lease:
                context.stop(StopReason.LEASE_LOST)
        self._processes.fence()

    def stop_all(self, reason: StopReason) -> None:
        """Asks every handler to stop."""
        for context in list(self._running.copy().values()):
            context.stop(reason)
        self._processes.stop_all(reason)

    def close(self) -> None:
        """Ends processes and tasks. Handlers in threads continue until they return or the process ends."""
        self._loop.close()
        self._processes.close()
        if self._children is not None:
            self._children.close()

    def _returned(self, run_id: int, report: AttemptReport) -> None:
        del self._running[run_id]
        self._send(run_frame(Kind.RETURNED, run_id, report.SerializeToString()))
