"""Calls that end waiting jobs from outside: signals and approvals."""

from __future__ import annotations

import dataclasses
from typing import Any

from muster.client.call import Call, Method, Scope, new_id
from muster.client.job_ref import JobRef, id_of
from muster.durations import Seconds, to_duration
from muster.payloads import encode
from muster.v1 import signal_service_pb2 as messages
from muster.v1.job_pb2 import Job


@dataclasses.dataclass(frozen=True, slots=True)
class SentSignal:
    """Result of sending a signal.

    Attributes:
        delivered_count: Number of jobs that the signal has ended so far.
        delivering: True while the control plane delivers the signal to more jobs.
        kept: Neither a job nor a trigger took the signal; it is kept for the first job that will.
        repeated: The signal was sent before; this call did nothing.
        trigger_count: Number of triggers that have a cause of this name and are not paused.
    """

    delivered_count: int
    delivering: bool
    kept: bool
    repeated: bool
    trigger_count: int = 0


def send_signal(
    scope: Scope,
    name: str,
    payload: Any = None,
    *,
    key: str = "",
    keep_for: Seconds | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[SentSignal]:
    """Ends all jobs that wait for the signal, and is a cause for triggers.

    If there is neither, the signal is kept for the first job that will wait for it.

    Args:
        name: The signal's name.
        payload: Result of the jobs that receive the signal; see `muster.payloads.encode`.
        key: Only jobs that wait for this key receive the signal. At most 256 characters.
        keep_for: How long the signal is kept if no job waits for it, in seconds or as a timedelta. 0: not kept. At most
            30 days. None: one hour.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        TypeError: The payload has no JSON form.
        MusterError: RESOURCE_EXHAUSTED (SIGNALS_FULL), when 1,000 signals of this name and key are kept.
    """
    request = messages.SendSignalRequest(
        namespace=scope.namespace,
        name=name,
        key=key,
        payload=encode(payload),
        keep_for=None if keep_for is None else to_duration(keep_for),
        request_id=new_id(request_id),
    )
    return Call(_method("SendSignal", messages.SendSignalResponse), request, _sent, timeout)


def approve(
    scope: Scope,
    job: JobRef,
    *,
    comment: str = "",
    payload: Any = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Job]:
    """Approves a job that waits for an approval. Its result has `approved`, the comment and the payload.

    Args:
        job: The job.
        comment: Shown to operators. At most 256 characters.
        payload: A JSON value. None: none.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        TypeError: The payload has no JSON form.
        MusterError: FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL), when the job waits for no approval.
    """
    request = messages.ApproveJobRequest(
        namespace=scope.namespace,
        job_id=id_of(job),
        comment=comment,
        payload=None if payload is None else encode(payload),
        request_id=new_id(request_id),
    )
    return Call(_method("ApproveJob", messages.ApproveJobResponse), request, _job, timeout)


def reject(
    scope: Scope, job: JobRef, reason: str = "", *, request_id: str = "", timeout: float | None = None
) -> Call[Job]:
    """Rejects a job that waits for an approval: it fails permanently.

    Args:
        job: The job.
        reason: Reason, shown to operators. At most 256 characters.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL), when the job waits for no approval.
    """
    request = messages.RejectJobRequest(
        namespace=scope.namespace, job_id=id_of(job), reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("RejectJob", messages.RejectJobResponse), request, _job, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("SignalService", name, reply)


def _sent(reply: Any) -> SentSignal:
    return SentSignal(reply.delivered_count, reply.delivering, reply.kept, reply.repeated, reply.trigger_count)


def _job(reply: Any) -> Job:
    found: Job = reply.job
    return found
