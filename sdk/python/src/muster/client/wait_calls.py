"""What ends jobs that wait for something from outside: events, and people's words."""

from __future__ import annotations

import dataclasses
from typing import Any

from muster.client.call import Call, Method, Scope, new_id
from muster.client.job_ref import JobRef, id_of
from muster.durations import Seconds, to_duration
from muster.payloads import encode
from muster.v1 import wait_service_pb2 as messages
from muster.v1.job_pb2 import Job


@dataclasses.dataclass(frozen=True, slots=True)
class SentEvent:
    """What became of an event.

    Attributes:
        delivered_count: Jobs that it has ended so far.
        delivering: The control plane goes on to more jobs.
        kept: No job waited for it, and it is kept for the first that will.
        repeated: It was sent before: nothing happened now.
    """

    delivered_count: int
    delivering: bool
    kept: bool
    repeated: bool


def send_event(
    scope: Scope,
    name: str,
    payload: Any = None,
    *,
    key: str = "",
    keep_for: Seconds | None = None,
    event_id: str = "",
    timeout: float | None = None,
) -> Call[SentEvent]:
    """Ends all jobs that wait for the event; where none does, it is kept for the first that will.

    Args:
        name: The event's name.
        payload: The result of the jobs that it reaches; see `muster.payloads.encode`.
        key: It is for jobs that wait for just this one. At most 256 characters.
        keep_for: Seconds, or a timedelta, for which it is kept if no job waits for it. 0: not at all. At most 30 days.
            None: an hour.
        event_id: UUID that makes repeats of this call one event. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        TypeError: The payload has no JSON form.
        MusterError: RESOURCE_EXHAUSTED (EVENTS_FULL), when 1,000 of its name and key are kept.
    """
    request = messages.SendEventRequest(
        namespace=scope.namespace,
        name=name,
        key=key,
        payload=encode(payload),
        keep_for=None if keep_for is None else to_duration(keep_for),
        event_id=new_id(event_id),
    )
    return Call(_method("SendEvent", messages.SendEventResponse), request, _sent, timeout)


def approve(
    scope: Scope,
    job: JobRef,
    *,
    comment: str = "",
    payload: Any = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Job]:
    """Ends a job that waits for an approval; its result says `approved`, and the comment and the payload.

    Args:
        job: The job.
        comment: For people. At most 256 characters.
        payload: A JSON value. None: none.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        TypeError: The payload has no JSON form.
        MusterError: FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL), when it does not wait for one.
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
    """Ends a job that waits for an approval as failed, for good.

    Args:
        job: The job.
        reason: Why, for people. At most 256 characters.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL), when it does not wait for one.
    """
    request = messages.RejectJobRequest(
        namespace=scope.namespace, job_id=id_of(job), reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("RejectJob", messages.RejectJobResponse), request, _job, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("WaitService", name, reply)


def _sent(reply: Any) -> SentEvent:
    return SentEvent(reply.delivered_count, reply.delivering, reply.kept, reply.repeated)


def _job(reply: Any) -> Job:
    found: Job = reply.job
    return found
