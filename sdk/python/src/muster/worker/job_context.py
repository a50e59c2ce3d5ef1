"""The context of a handler."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

from muster import payloads
from muster.client.job_ref import JobRef, SubmittedJob
from muster.durations import to_duration
from muster.errors import HandlerSuspended, JobStopped
from muster.tracing.handler_log import HandlerLog
from muster.tracing.handler_span import HandlerSpan
from muster.tracing.tracer import TraceFields
from muster.v1.job_pb2 import Job, Progress
from muster.v1.payload_pb2 import Payload
from muster.worker.children import ChildCalls, Children
from muster.worker.fence import may_continue
from muster.worker.job_facts import JobFacts
from muster.worker.job_log import AttemptLog, JobLog
from muster.worker.messages import Kind, run_frame
from muster.worker.progress_counts import ProgressCounts, progress_message
from muster.worker.run_time import MAX_RUN_SECONDS
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.attempt_report_pb2 import AttemptReport
from muster.worker.v1.session_pb2 import ProgressUpdate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster.client.submission import JobOptions


class JobContext(JobFacts):
    """One attempt, as its handler sees it. Thread-safe."""

    def __init__(
        self,
        run_id: int,
        assignment: Assignment,
        send: Callable[[JobContext], None],
        max_payload: int = 0,
        children: ChildCalls | None = None,
    ) -> None:
        super().__init__(assignment)
        self._run_id = run_id
        self._send = send
        self._max_payload = max_payload
        self._lock = threading.Lock()
        self._event: threading.Event | None = None
        self._stopped_for: StopReason | None = None
        self._on_stop: Callable[[], object] | None = None
        self._progress: Progress | None = None
        self._checkpoint: Payload | None = None
        self._extension = 0.0
        self._sequence = 0
        self._is_changed = False
        self._is_queued = False
        self._trace_fields: TraceFields | None = None
        self._log = AttemptLog(self._queue)
        self._telemetry = HandlerLog(assignment)
        self._children = None if children is None else Children(children, self.job_id, self.attempt)

    @property
    def traceparent(self) -> str:
        """W3C trace context for calls of the handler. Empty: none.

        It is that of the handler's own span if the application has set up OpenTelemetry, else that of the attempt.
        """
        return self._assignment.traceparent if self._trace_fields is None else self._trace_fields[0]

    @property
    def tracestate(self) -> str:
        """The W3C trace state for `traceparent`. Empty: none."""
        return self._assignment.tracestate if self._trace_fields is None else self._trace_fields[1]

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records, of every level, go to the attempt's log.

        `muster logs` shows them soon after. The newest 64 KiB of an attempt are kept, as long as its job; dropped
        records show as a gap. A message is cut after 8 KiB. `extra` becomes fields: strings as they are, other values
        as JSON; at most 32, and 8 KiB together with the message. The logger "muster.job" receives the records too, with
        `job_id` and `attempt`.
        """
        return JobLog(self._log, self._telemetry, self.job_id, self.attempt)

    @property
    def cancel_event(self) -> threading.Event:
        """Set when the handler is asked to stop, for any reason; handlers can wait for it."""
        with self._lock:
            if self._event is None:
                self._event = threading.Event()
                if self._stopped_for is not None:
                    self._event.set()
            return self._event

    @property
    def cancel_reason(self) -> str | None:
        """Why the handler is asked to stop. None: it is not.

        One of "cancelled", "suspended", "lease_lost", "run_timeout", "shutdown".
        """
        return None if self._stopped_for is None else self._stopped_for.name.lower()

    def cancelled(self) -> bool:
        """Whether the handler is asked to stop, for any reason."""
        return self._stopped_for is not None

    def raise_if_cancelled(self) -> None:
        """Raises an exception if the handler is asked to stop.

        Raises:
            JobStopped: The handler is asked to stop. Not an `Exception`, so `except Exception` does not swallow it.
        """
        if self._stopped_for is not None:
            raise JobStopped(self._stopped_for.name.lower())

    def progress(self, progress: float | ProgressCounts, message: str | None = None) -> None:
        """Reports the handler's progress. Sent within a second.

        Args:
            progress: A fraction from 0 to 1; values outside are clamped. Or a count, such as
                `ProgressCounts(done=400, total=1000, unit="rows")`.
            message: Shown to operators; cut at 256 characters.
        """
        said = progress_message(progress, message)
        with self._lock:
            self._progress = said
        self._notify()

    def checkpoint(self, value: Any) -> None:
        """Stores a value from which a later attempt can continue. Sent within a second, and before a failure.

        Raises:
            ValueError: The value exceeds the control plane's maximum size.
            TypeError: The value has no JSON form.
        """
        payload = payloads.encode(value)
        if 0 < self._max_payload < len(payload.data):
            raise ValueError(f"the checkpoint has {len(payload.data)} bytes; the maximum is {self._max_payload}")
        with self._lock:
            self._checkpoint = payload
        self._notify()

    def extend_run_timeout(self, seconds: float) -> None:
        """Extends the run timeout, which still counts from the handler's start; several calls add up.

        Sent within a second, or before the run timeout if less time is left. It extends neither the job's total timeout
        nor its progress timeout, and has no effect once `cancel_reason` is "run_timeout".

        Args:
            seconds: Above 0.

        Raises:
            ValueError: The number is not positive and finite, or the handler could run for more than 30 days in total.
        """
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"a run timeout can't be extended by {seconds} s")
        with self._lock:
            longest = self.run_timeout + self._extension + seconds
            if longest > MAX_RUN_SECONDS:
                raise ValueError(f"the handler could run for {longest} s; the maximum is {MAX_RUN_SECONDS}")
            self._extension += seconds
        self._notify()

    def submit(
        self,
        definition: str,
        input: Any = None,  # noqa: A002 - the word of the contract
        *,
        key: str = "",
        detached: bool = False,
        **options: Unpack[JobOptions],
    ) -> SubmittedJob:
        """Submits a child of the job. When the handler runs again, the same call returns the existing child.

        It blocks; an asynchronous handler calls it with `asyncio.to_thread`.

        Args:
            definition: Name of the definition.
            input: A JSON value, a dataclass, a pydantic model, a msgspec struct, bytes, a protobuf message, or a
                `Payload`.
            key: Identifies the child. Empty: its number among the children that the handler submits. A handler must
                submit the same children in the same order each time.
            detached: The child continues when its parent ends; otherwise it is cancelled then.
            **options: Options of the job, see `JobOptions`.

        Raises:
            MusterError: FAILED_PRECONDITION (PARENT_ATTEMPT_CLOSED), when the worker no longer holds the attempt;
                ALREADY_EXISTS, when an earlier run submitted a different job under the same key or number.
            RuntimeError: There is no control plane, as in a test of the handler.
        """
        return self._known_children().submit(definition, input, key=key, detached=detached, options=options)

    def wait(self, children: Sequence[JobRef]) -> list[Any]:
        """Returns the results of children, once all have ended. It blocks only while it reads them.

        Raises:
            WaitsForChildren: Some have not ended. The handler must not catch this; it runs again from its start when
                the children have ended.
            JobFailedError: One of them ended without a result.
            RuntimeError: There is no control plane, as in a test of the handler.
        """
        return self._known_children().wait(children)

    def ended(self, children: Sequence[JobRef]) -> list[Job]:
        """Like `wait`, but returns the jobs, whatever their outcome."""
        return self._known_children().ended(children)

    def suspend(self, checkpoint: Any = None) -> NoReturn:
        """Ends this run of the handler, without counting it.

        Call it when `cancel_reason` is "suspended": the handler runs again from its start once the job is resumed. When
        nobody has asked, it runs again soon.

        Args:
            checkpoint: Where it continues then, as for `checkpoint`. None: at the last checkpoint.

        Raises:
            HandlerSuspended: Always. The handler must not catch it.
            ValueError: As for `checkpoint`.
            TypeError: As for `checkpoint`.
        """
        if checkpoint is not None:
            self.checkpoint(checkpoint)
        raise HandlerSuspended

    def _known_children(self) -> Children:
        if self._children is None:
            raise RuntimeError("only a handler that a worker runs can have children: here is no control plane")
        return self._children

    @property
    def max_payload(self) -> int:
        """Maximum size of a result or checkpoint, in bytes. 0: not stated."""
        return self._max_payload

    @property
    def continues_without_lease(self) -> bool:
        """Whether the fence leaves the handler alone. For the worker, not for handlers."""
        return may_continue(self._assignment)

    def stop(self, reason: StopReason) -> None:
        """Asks the handler to stop. For the worker, not for handlers."""
        with self._lock:
            is_first = self._stopped_for is None
            if is_first:
                self._stopped_for = reason
            if self._event is not None:
                self._event.set()
            on_stop = self._on_stop
        if is_first and on_stop is not None:
            on_stop()

    def when_stopped(self, on_stop: Callable[[], object]) -> None:
        """Sets a callback, called once, when the handler is asked to stop. For the worker, not for handlers."""
        with self._lock:
            self._on_stop = on_stop
            is_stopped = self._stopped_for is not None
        if is_stopped:
            on_stop()

    def spanned(self) -> AbstractContextManager[None]:
        """Returns the handler's span, if the application traces. For the worker, not for handlers."""
        span = HandlerSpan.start(self._assignment)
        if span is None:
            return nullcontext()
        self._trace_fields = span.fields
        return span

    def new_report(self) -> AttemptReport:
        """Returns an empty report of the attempt. For the worker, not for handlers."""
        return AttemptReport(job_id=self._assignment.job_id, attempt=self._assignment.attempt)

    def take_frame(self) -> bytes:
        """Returns the unsent updates as a frame for the session process. For the worker, not for handlers."""
        with self._lock:
            self._is_queued = False
            update = ProgressUpdate(job_id=self._assignment.job_id, attempt=self._assignment.attempt)
            if self._is_changed:
                self._add_changes(update)
        update.logs.extend(self._log.take())
        return run_frame(Kind.PROGRESS, self._run_id, update.SerializeToString())

    def _add_changes(self, update: ProgressUpdate) -> None:
        self._sequence += 1
        update.sequence = self._sequence
        if self._progress is not None:
            update.progress.CopyFrom(self._progress)
        if self._checkpoint is not None:
            update.checkpoint.CopyFrom(self._checkpoint)
        if self._extension > 0:
            update.run_timeout_extension.CopyFrom(to_duration(self._extension))
        self._checkpoint = None
        self._is_changed = False

    def _notify(self) -> None:
        self._is_changed = True
        self._queue()

    def _queue(self) -> None:
        with self._lock:
            if self._is_queued:
                return
            self._is_queued = True
        self._send(self)
