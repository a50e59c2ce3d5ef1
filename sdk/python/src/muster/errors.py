"""Errors of the SDK, and the conversion of failed calls."""

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

DOMAIN = "muster"
LEASE_LOST = "LEASE_LOST"
_DETAILS_KEY = "grpc-status-details-bin"


class MusterError(Exception):
    """A call that the control plane refused, or that did not reach it.

    Attributes:
        code: The gRPC status code.
        reason: The stable reason, such as "JOB_NOT_FOUND"; empty if the error does not come from Muster.
        metadata: The variables of the message.
        violations: Refused fields of the request, as (field, description).
        retry_after: Seconds after which the control plane accepts the call again. None: it gave none.
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
        failure: The failure. Its fields are empty where nothing is known.
    """

    def __init__(self, job: Job, state: str) -> None:
        failure: Failure = job.failure
        why = f"{failure.type or 'failure'}: {failure.message}" if job.HasField("failure") else job.state_reason
        super().__init__(f"job {job.job_id} ended {state}" + (f": {why}" if why else ""))
        self.job = job
        self.job_id: str = job.job_id
        self.state = state
        self.failure = failure


class NonRetryableError(Exception):
    """Raised by a handler when another attempt would fail too: the job is not retried.

    Attributes:
        details: Data for programs that handle the failure.
    """

    def __init__(self, message: str = "", details: Payload | None = None) -> None:
        super().__init__(message)
        self.details = details


class RetryLater(Exception):  # noqa: N818 - a request, not an error
    """Raised by a handler to set the delay of its next attempt.

    Attributes:
        seconds: The delay in seconds; replaces the retry policy's backoff.
    """

    def __init__(self, seconds: float, message: str = "") -> None:
        super().__init__(message or f"try again in {seconds:g} s")
        self.seconds = seconds


class InfrastructureError(Exception):
    """Raised by a handler when its environment failed: disk, memory, machine.

    The attempt does not count, unless a retry rule says otherwise. Any exception may have an attribute `exit_code` from
    1 to 255, the exit code of a process that the handler ran; `subprocess.CalledProcessError` has its `returncode`.
    Retry rules can match it.
    """


class JobStopped(BaseException):
    """Raised by `ctx.raise_if_cancelled()` in a handler that was asked to stop.

    Not an `Exception`, like KeyboardInterrupt, so that `except Exception` does not swallow it.

    Attributes:
        reason: "cancelled", "suspended", "lease_lost", "run_timeout" or "shutdown".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HandlerSuspended(BaseException):
    """Raised by `ctx.suspend`. It ends this run of the handler, which runs again later.

    Not an `Exception`, so that `except Exception` does not swallow it; a handler must not catch it.
    """

    def __init__(self) -> None:
        super().__init__("the handler has suspended its job, and runs again later")


class WaitsForChildren(BaseException):
    """Raised by `ctx.wait` and `ctx.ended` while children of the job are open.

    It ends this run of the handler. Once the children have ended, the handler runs again from its start. Not an
    `Exception`, so that `except Exception` does not swallow it; a handler must not catch it.

    Attributes:
        child_ids: UUIDs of the children; at most 1,000.
    """

    def __init__(self, child_ids: Sequence[str]) -> None:
        super().__init__("the handler waits for children of its job, and runs again once they have ended")
        self.child_ids = tuple(child_ids[:1_000])


def error_from(error: Any) -> MusterError:
    """Converts a gRPC error to a `MusterError`, with the details that the control plane attached."""
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
