"""Errors of the SDK, and how calls that fail become them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from muster.durations import to_seconds
from muster.v1.failure_pb2 import Failure
from muster.v1.job_pb2 import Job
from muster.v1.payload_pb2 import Payload

DOMAIN = "muster.dev"
LEASE_LOST = "LEASE_LOST"
_DETAILS_KEY = "grpc-status-details-bin"


class MusterError(Exception):
    """A call that the control plane refused, or that did not reach it.

    Attributes:
        code: The gRPC status code.
        reason: The stable reason, such as "JOB_NOT_FOUND"; empty if the error does not come from Muster.
        metadata: The variables of the message.
        violations: What is wrong in the request, as (field, description).
        retry_after: Seconds after which to try again, if the control plane names them.
    """

    def __init__(
        self,
        message: str,
        code: grpc.StatusCode,
        reason: str = "",
        *,
        violations: tuple[tuple[str, str], ...] = (),
        retry_after: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.violations = violations
        self.retry_after = retry_after
        self.metadata: Mapping[str, str] = metadata or {}

    @property
    def is_lease_lost(self) -> bool:
        """Whether the session is closed."""
        return self.code is grpc.StatusCode.FAILED_PRECONDITION and self.reason in (LEASE_LOST, "")


class JobFailedError(Exception):
    """A job that ended without a result.

    Attributes:
        job: The job as it ended.
        job_id: Its UUID.
        state: Name of its state, such as "FAILED".
        failure: Why; empty fields where nothing is known.
    """

    def __init__(self, job: Job, state: str) -> None:
        failure: Failure = job.failure
        why = f"{failure.type or 'failure'}: {failure.message}" if job.HasField("failure") else job.state_reason
        super().__init__(f"job {job.job_id} ended {state}" + (f": {why}" if why else ""))
        self.job = job
        self.job_id: str = job.job_id
        self.state = state
        self.failure = failure


class FinalError(Exception):
    """Raised by a handler that knows that another attempt can't help.

    Attributes:
        details: Data for programs that handle the failure.
    """

    def __init__(self, message: str = "", details: Payload | None = None) -> None:
        super().__init__(message)
        self.details = details


class RetryLater(Exception):  # noqa: N818 - it asks for something rather than to complain
    """Raised by a handler that wants the next attempt after so many seconds.

    Attributes:
        seconds: The delay; replaces the retry policy's backoff.
    """

    def __init__(self, seconds: float, message: str = "") -> None:
        super().__init__(message or f"try again in {seconds:g} s")
        self.seconds = seconds


class InfrastructureError(Exception):
    """Raised by a handler that what it runs on has failed: no disk, no memory, a machine that goes away.

    Costs the job no attempt unless a retry rule says otherwise. Any exception may say how a process ended that the
    handler ran, in an attribute `exit_code` from 1 to 255, or as `subprocess.CalledProcessError` does; retry rules can
    go by it.
    """


class JobStopped(BaseException):
    """Raised by `ctx.raise_if_cancelled()` in a handler that was asked to stop.

    No `Exception`, as KeyboardInterrupt is none: `except Exception` must not swallow it.

    Attributes:
        reason: "cancelled", "lease_lost", "run_timeout" or "shutdown".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WaitsForChildren(BaseException):
    """Raised by `ctx.wait` and `ctx.ended` while children of the job are open.

    It ends this run of the handler; the handler runs again, from its start, once they have ended. No `Exception`, so
    that only what means it catches it, and a handler must let it pass.

    Attributes:
        child_ids: UUIDs of the children; at most 1,000 of them.
    """

    def __init__(self, child_ids: Sequence[str]) -> None:
        super().__init__("the handler waits for children of its job, and runs again once they have ended")
        self.child_ids = tuple(child_ids[:1_000])


def error_from(error: Any) -> MusterError:
    """Makes a `MusterError` of a gRPC error, with the details that the control plane attached."""
    code = error.code()
    message = f"{code.name}: {error.details() or 'no further description'}"
    info, bad_request, retry_info = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in _details(error):
        if not detail.Unpack(info) and not detail.Unpack(bad_request):
            detail.Unpack(retry_info)
    return MusterError(
        message,
        code,
        info.reason if info.domain == DOMAIN else "",
        violations=tuple((one.field, one.description) for one in bad_request.field_violations),
        retry_after=to_seconds(retry_info.retry_delay) if retry_info.HasField("retry_delay") else None,
        metadata=dict(info.metadata),
    )


def _details(error: Any) -> list[AnyMessage]:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return list(Status.FromString(value).details)
    return []
