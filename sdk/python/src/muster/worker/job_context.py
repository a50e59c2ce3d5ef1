"""What a handler gets beside its input."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from collections.abc import Callable
from typing import Any

from muster import payloads
from muster.durations import to_duration
from muster.errors import JobStopped
from muster.v1.assignment_pb2 import Assignment
from muster.v1.job_pb2 import Progress
from muster.v1.payload_pb2 import Payload
from muster.v1.session_service_pb2 import ProgressUpdate
from muster.worker.job_log import AttemptLog, JobLog
from muster.worker.messages import Kind, run_frame
from muster.worker.run_time import MOST_RUN_SECONDS, run_timeout_of
from muster.worker.stop_reason import StopReason

MOST_MESSAGE_CHARACTERS = 256


class JobContext:
    """One attempt, as its handler sees it. May be used from several threads.

    Attributes:
        input: The input, byte for byte.
    """

    def __init__(
        self, run_id: int, assignment: Assignment, send: Callable[[JobContext], None], max_payload: int = 0
    ) -> None:
        self.input: Payload = assignment.input
        self._run_id = run_id
        self._assignment = assignment
        self._send = send
        self._max_payload = max_payload
        self._lock = threading.Lock()
        self._event: threading.Event | None = None
        self._stopped_for: StopReason | None = None
        self._progress: Progress | None = None
        self._checkpoint: Payload | None = None
        self._extension = 0.0
        self._sequence = 0
        self._has_news = False
        self._is_queued = False
        self._log = AttemptLog(self._queue)

    @property
    def job_id(self) -> str:
        """The job's UUID."""
        return str(uuid.UUID(bytes=self._assignment.job_id))

    @property
    def attempt(self) -> int:
        """Number of the attempt; rises strictly within a job and may skip."""
        return self._assignment.attempt

    @property
    def attempts_counted(self) -> int:
        """Attempts that counted before this one."""
        return self._assignment.attempts_counted

    @property
    def fencing_token(self) -> int:
        """A number that is higher for a later attempt: systems that it is passed to can refuse an older one."""
        return self._assignment.attempt

    @property
    def namespace(self) -> str:
        """The job's namespace."""
        return self._assignment.namespace

    @property
    def definition(self) -> str:
        """Name of the definition."""
        return self._assignment.definition

    @property
    def definition_version(self) -> int:
        """Version of the definition."""
        return self._assignment.definition_version

    @property
    def run_timeout(self) -> float:
        """Seconds that the handler may run, as its definition says; what it asks for later is not in it."""
        return run_timeout_of(self._assignment)

    @property
    def traceparent(self) -> str:
        """W3C trace context of the attempt. Empty: none."""
        return self._assignment.traceparent

    @property
    def tracestate(self) -> str:
        """W3C trace state that goes with it. Empty: none."""
        return self._assignment.tracestate

    @property
    def last_checkpoint(self) -> Any:
        """The last checkpoint of an earlier attempt, decoded as an input is. None: there is none."""
        if not self._assignment.HasField("checkpoint"):
            return None
        return payloads.decode(self._assignment.checkpoint)

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records, whatever their level, go to the attempt's log.

        `muster logs` shows that within about a second. The newest 64 KiB of an attempt are kept, as long as its job;
        what is dropped shows as a gap. A message is cut after 8 KiB. `extra` goes along as fields: text as it is,
        anything else as JSON; at most 32, and 8 KiB together with the message. The logger "muster.job" gets the
        records too, with `job_id` and `attempt`.
        """
        return JobLog(self._log, self.job_id, self.attempt)

    @property
    def cancel_event(self) -> threading.Event:
        """Set once the handler is asked to stop, for whatever reason; made to be waited for."""
        with self._lock:
            if self._event is None:
                self._event = threading.Event()
                if self._stopped_for is not None:
                    self._event.set()
            return self._event

    @property
    def cancel_reason(self) -> str | None:
        """Why the handler is asked to stop: "cancelled", "lease_lost", "run_timeout", "shutdown"; None: it is not."""
        return None if self._stopped_for is None else self._stopped_for.name.lower()

    def cancelled(self) -> bool:
        """Whether the handler is asked to stop, for whatever reason."""
        return self._stopped_for is not None

    def raise_if_cancelled(self) -> None:
        """Leaves the handler if it is asked to stop.

        Raises:
            JobStopped: It is. Not an `Exception`, so that only what means it catches it.
        """
        if self._stopped_for is not None:
            raise JobStopped(self._stopped_for.name.lower())

    def progress(self, fraction: float, message: str | None = None) -> None:
        """Says how far the handler is; told with the next heartbeat.

        Args:
            fraction: From 0 to 1; what lies outside is cut.
            message: What it is doing, for people; cut at 256 characters.
        """
        bounded = min(1.0, max(0.0, float(fraction)))
        with self._lock:
            self._progress = Progress(fraction=bounded, message=(message or "")[:MOST_MESSAGE_CHARACTERS])
        self._tell()

    def checkpoint(self, value: Any) -> None:
        """Keeps what a later attempt may start from; told with the next heartbeat, and before a failure.

        Raises:
            ValueError: It is larger than the control plane takes.
            TypeError: It has no JSON form.
        """
        payload = payloads.encode(value)
        if 0 < self._max_payload < len(payload.data):
            raise ValueError(
                f"the checkpoint has {len(payload.data)} bytes and the control plane takes {self._max_payload}"
            )
        with self._lock:
            self._checkpoint = payload
        self._tell()

    def extend_run_timeout(self, seconds: float) -> None:
        """Asks for more time than the run timeout, which still counts from the handler's start; several calls add up.

        Told with the next heartbeat, which comes early where it could be too late. It moves neither the job's total
        timeout nor how long it may be silent, and comes too late once `cancel_reason` is "run_timeout".

        Args:
            seconds: Above 0.

        Raises:
            ValueError: It is no such number, or would let the handler run for more than 30 days in all.
        """
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"a run timeout can't be extended by {seconds} s")
        with self._lock:
            longest = self.run_timeout + self._extension + seconds
            if longest > MOST_RUN_SECONDS:
                raise ValueError(f"the handler could run for {longest} s, and at most {MOST_RUN_SECONDS} may be")
            self._extension += seconds
        self._tell()

    def stop(self, reason: StopReason) -> None:
        """Asks the handler to stop. For the worker, not for handlers."""
        with self._lock:
            if self._stopped_for is None:
                self._stopped_for = reason
            if self._event is not None:
                self._event.set()

    def take_frame(self) -> bytes:
        """Returns what is new as a frame for the session process. For the worker, not for handlers."""
        with self._lock:
            self._is_queued = False
            update = ProgressUpdate(job_id=self._assignment.job_id, attempt=self._assignment.attempt)
            if self._has_news:
                self._add_news(update)
        update.logs.extend(self._log.take())
        return run_frame(Kind.PROGRESS, self._run_id, update.SerializeToString())

    def _add_news(self, update: ProgressUpdate) -> None:
        self._sequence += 1
        update.sequence = self._sequence
        if self._progress is not None:
            update.progress.CopyFrom(self._progress)
        if self._checkpoint is not None:
            update.checkpoint.CopyFrom(self._checkpoint)
        if self._extension > 0:
            update.run_timeout_extension.CopyFrom(to_duration(self._extension))
        self._checkpoint = None
        self._has_news = False

    def _tell(self) -> None:
        self._has_news = True
        self._queue()

    def _queue(self) -> None:
        with self._lock:
            if self._is_queued:
                return
            self._is_queued = True
        self._send(self)
