"""Runs handlers in tests, without a worker and without a control plane.

Inputs and results are encoded and decoded as in production: as JSON or protobuf, by the handler's type hints.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from muster import payloads
from muster.durations import to_duration
from muster.v1.failure_pb2 import Failure
from muster.v1.job_pb2 import Progress
from muster.v1.log_record_pb2 import LogRecord
from muster.worker import handler_run
from muster.worker.frames import FrameReader
from muster.worker.handler_entry import HandlerEntry, HandlerFunction
from muster.worker.job_context import JobContext
from muster.worker.messages import read_run
from muster.worker.progress_counts import ProgressCounts
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.attempt_report_pb2 import AttemptReport
from muster.worker.v1.session_pb2 import ProgressUpdate

_MAX_PAYLOAD_BYTES = 512 * 1024
_NOTHING = object()

StopName = Literal["cancelled", "suspended", "lease_lost", "run_timeout", "shutdown"]
"""Reason why a handler is asked to stop."""


class FakeContext(JobContext):
    """A context that keeps everything that a handler reports.

    Args:
        job_id: UUID of the job. None: a new one.
        attempt: Number of the attempt.
        attempt_count: Earlier attempts that count.
        namespace: The job's namespace.
        definition: Name of the definition.
        definition_version: Version of the definition.
        run_timeout: Run timeout in seconds; not enforced here.
        last_checkpoint: Checkpoint of an earlier attempt. Omitted: none.
        traceparent: W3C trace context of the attempt.
        tracestate: W3C trace state for `traceparent`.
        max_payload: Maximum size of a result or checkpoint, in bytes.

    Attributes:
        reported_progress: All progress reports, in order.
        checkpoints: All checkpoints, decoded, in order.
        log_records: All records of `ctx.log`, in order.
        extension: Sum of the extensions of the run timeout, in seconds.
    """

    def __init__(
        self,
        *,
        job_id: str | None = None,
        attempt: int = 1,
        attempt_count: int = 0,
        namespace: str = "default",
        definition: str = "test",
        definition_version: int = 1,
        run_timeout: float = 3_600.0,
        last_checkpoint: Any = _NOTHING,
        traceparent: str = "",
        tracestate: str = "",
        max_payload: int = _MAX_PAYLOAD_BYTES,
    ) -> None:
        assignment = Assignment(
            job_id=(uuid.uuid4() if job_id is None else uuid.UUID(job_id)).bytes,
            attempt=attempt,
            attempt_count=attempt_count,
            namespace=namespace,
            definition=definition,
            definition_version=definition_version,
            handler=definition,
            run_timeout=to_duration(run_timeout),
            traceparent=traceparent,
            tracestate=tracestate,
        )
        if last_checkpoint is not _NOTHING:
            assignment.checkpoint.CopyFrom(payloads.encode(last_checkpoint))
        self.reported_progress: list[Progress] = []
        self.checkpoints: list[Any] = []
        self.log_records: list[LogRecord] = []
        self.extension = 0.0
        super().__init__(1, assignment, lambda _: self._take(), max_payload)

    def cancel(self, reason: StopName = "cancelled") -> None:
        """Asks the handler to stop, as the worker would. May be called before it runs, and from other threads."""
        self.stop(StopReason[reason.upper()])

    def progress(self, progress: float | ProgressCounts, message: str | None = None) -> None:
        """Reports progress as in production, and keeps it."""
        super().progress(progress, message)
        assert self._progress is not None
        self.reported_progress.append(self._progress)

    def checkpoint(self, value: Any) -> None:
        """Stores a checkpoint as in production, and keeps it."""
        super().checkpoint(value)
        self.checkpoints.append(payloads.decode(payloads.encode(value)))

    def extend_run_timeout(self, seconds: float) -> None:
        """Extends the run timeout as in production, and keeps the sum."""
        super().extend_run_timeout(seconds)
        self.extension += seconds

    def _take(self) -> None:
        ((_, body),) = FrameReader().feed(self.take_frame())
        self.log_records.extend(ProgressUpdate.FromString(read_run(body)[1]).logs)


@dataclass(frozen=True, slots=True)
class HandlerOutcome:
    """The outcome of a handler.

    Attributes:
        context: The context of the handler; a `FakeContext` has its reports.
        result: The handler's result, as a client reads it without a type. None: it returned None, or failed.
        failure: The handler's failure. None: it did not fail.
        is_suspended: Whether it has suspended its job, or waits for children.
    """

    context: JobContext
    result: Any
    failure: Failure | None
    is_suspended: bool = False


def run_handler(function: HandlerFunction, input: Any = None, context: JobContext | None = None) -> HandlerOutcome:  # noqa: A002
    """Runs a synchronous or asynchronous handler and returns its outcome. Its exception becomes the failure.

    Args:
        function: The handler.
        input: The input as passed to `Client.submit`.
        context: The handler's context. None: a new `FakeContext`.

    Raises:
        TypeError: The input has no JSON form, or the handler can't be called.
    """
    handler = HandlerEntry.of(function)
    if handler.is_async:
        return asyncio.run(run_handler_async(function, input, context))
    prepared = _prepared(input, context)
    return _outcome(prepared, handler_run.run_handler(handler, prepared))


async def run_handler_async(
    function: HandlerFunction,
    input: Any = None,  # noqa: A002
    context: JobContext | None = None,
) -> HandlerOutcome:
    """Runs an asynchronous handler in the running event loop. Cancelling the context cancels the handler.

    Args:
        function: The handler.
        input: The input as passed to `Client.submit`.
        context: The handler's context. None: a new `FakeContext`.

    Raises:
        TypeError: The input has no JSON form, or the handler can't be called.
    """
    prepared = _prepared(input, context)
    loop = asyncio.get_running_loop()
    task = loop.create_task(handler_run.run_async_handler(HandlerEntry.of(function), prepared))
    prepared.when_stopped(lambda: loop.call_soon_threadsafe(task.cancel))
    return _outcome(prepared, await task)


def _prepared(value: Any, context: JobContext | None) -> JobContext:
    prepared = FakeContext() if context is None else context
    prepared.input = payloads.encode(value)
    return prepared


def _outcome(context: JobContext, report: AttemptReport) -> HandlerOutcome:
    if report.HasField("failure"):
        return HandlerOutcome(context, None, report.failure)
    if report.HasField("suspended"):
        return HandlerOutcome(context, None, None, is_suspended=True)
    return HandlerOutcome(context, payloads.decode(report.result), None)
