"""Operations of several calls: waiting for a job's end, and paging."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import grpc

from muster import payloads
from muster.client.call import Call, Items, Method, Pages, Scope, Steps, whole
from muster.client.job_filter import JobFilter
from muster.client.job_ref import JobRef, id_of, is_terminal, state_name
from muster.client.watching import FollowedLogs
from muster.durations import to_duration
from muster.errors import JobFailedError, MusterError
from muster.v1 import job_pb2
from muster.v1 import job_service_pb2 as messages
from muster.v1.job_pb2 import Job
from muster.v1.log_record_pb2 import LogRecord

# Maximum duration of one long poll on the server, and the time added to its deadline for the round trip.
_POLL_SECONDS = 30.0
_SLACK_SECONDS = 5.0
_ALL_JOBS = JobFilter()
_WORLD = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Redriven:
    """Result of a redrive.

    Attributes:
        retried_job_ids: The jobs that were retried; with `validate_only`, the jobs that would be.
        job_ids: The new jobs, in the order of `retried_job_ids`. Empty with `validate_only`.
        skipped_count: Number of jobs that were skipped: retried before, erased, or of an archived definition.
    """

    retried_job_ids: tuple[str, ...]
    job_ids: tuple[str, ...]
    skipped_count: int


def wait(scope: Scope, job: JobRef, timeout: float | None = None) -> Steps[Job]:
    """Waits until the job has ended or the time is up, and returns the job as it is then.

    A restart of the control plane does not end the wait. A handler that waits keeps its slot meanwhile; `ctx.wait`
    releases it.

    Args:
        job: The job.
        timeout: Maximum wait in seconds. None: no limit.

    Raises:
        MusterError: NOT_FOUND, when there is no such job.
    """
    end = float("inf") if timeout is None else time.monotonic() + timeout
    method = _method("WaitJob", messages.WaitJobResponse)
    while True:
        poll = max(0.0, min(_POLL_SECONDS, end - time.monotonic()))
        request = messages.WaitJobRequest(
            namespace=scope.namespace,
            job_id=id_of(job),
            timeout=to_duration(poll),
        )
        try:
            found = yield Call(method, request, _job, poll + _SLACK_SECONDS, is_patient=True)
        except MusterError as error:
            if error.code not in _WORLD or time.monotonic() >= end:
                raise
            continue
        if is_terminal(found.state) or time.monotonic() >= end:
            ended: Job = found
            return ended


def read_result(job: Job, as_type: Any = Any) -> Any:
    """Returns the result of a job's handler.

    Args:
        job: The job after the wait.
        as_type: Type of the result, see `muster.payloads.decode`.

    Raises:
        JobFailedError: The job ended without a result.
        MusterError: DEADLINE_EXCEEDED (WAIT_TIMEOUT), when the job has not ended yet.
        PayloadError: The result does not have this type.
    """
    if job.state == job_pb2.JOB_STATE_SUCCEEDED:
        return payloads.decode(job.result, as_type)
    if is_terminal(job.state):
        raise JobFailedError(job, state_name(job.state))
    message = f"job {job.job_id} has not ended yet: it is {state_name(job.state)}"
    raise MusterError(message, grpc.StatusCode.DEADLINE_EXCEEDED, "WAIT_TIMEOUT", metadata={"job_id": job.job_id})


def list_jobs(
    scope: Scope, which: JobFilter = _ALL_JOBS, *, page_size: int = 0, timeout: float | None = None
) -> Pages[Job]:
    """Yields all jobs that match, newest first, without inputs and results. Pages are fetched as the loop proceeds.

    Args:
        which: Filter. Without conditions: every job of the namespace.
        page_size: Jobs fetched per call, at most 1,000. 0: 50.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = messages.ListJobsRequest(namespace=scope.namespace, page_size=page_size, filter=_message(which))
    call = Call(_method("ListJobs", messages.ListJobsResponse), request, whole, timeout)
    while True:  # a page may be empty while there is a next one
        page = yield call
        yield Items(page.jobs)
        request.page_token = page.next_page_token
        if not request.page_token:
            return


def cancel_jobs(
    scope: Scope, which: JobFilter, *, reason: str = "", validate_only: bool = False, timeout: float | None = None
) -> Steps[int]:
    """Cancels all open jobs that match, page by page. Returns the number of jobs cancelled or asked to stop.

    Args:
        which: Filter.
        reason: Reason, shown to operators. At most 256 characters.
        validate_only: Only count the jobs.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = messages.CancelJobsRequest(
        namespace=scope.namespace, reason=reason, validate_only=validate_only, filter=_message(which)
    )
    call = Call(_method("CancelJobs", messages.CancelJobsResponse), request, whole, timeout)
    return (yield from _count(call, request, "cancelled_count"))


def pause_jobs(
    scope: Scope,
    which: JobFilter,
    *,
    reason: str = "",
    running: bool = False,
    grace: float | None = None,
    stop_timeouts: bool = False,
    validate_only: bool = False,
    timeout: float | None = None,
) -> Steps[int]:
    """Pauses all open jobs that match, page by page. Returns the number of jobs paused or asked to stop.

    Jobs that come later are not paused; `pause_queue` holds those too.

    Args:
        which: Filter.
        reason: Reason, shown to operators. At most 256 characters.
        running: Also pauses jobs that run, and workflows and batches that have begun, as in `pause`.
        grace: Seconds that handlers may take; at most an hour. None: the `cancel_grace` of each definition.
        stop_timeouts: Total timeouts stop meanwhile, and start anew when the jobs are resumed.
        validate_only: Only count the jobs.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = messages.PauseJobsRequest(
        namespace=scope.namespace,
        filter=_message(which),
        reason=reason,
        running=running,
        grace=None if grace is None else to_duration(grace),
        timeouts=messages.PAUSED_TIMEOUTS_STOP if stop_timeouts else messages.PAUSED_TIMEOUTS_UNSPECIFIED,
        validate_only=validate_only,
    )
    call = Call(_method("PauseJobs", messages.PauseJobsResponse), request, whole, timeout)
    return (yield from _count(call, request, "paused_count"))


def resume_jobs(
    scope: Scope, which: JobFilter, *, validate_only: bool = False, timeout: float | None = None
) -> Steps[int]:
    """Resumes all paused jobs that match, page by page, and lets run on those that were only asked to stop.

    Returns their number. Jobs that are paused with their workflow or batch are left to that.

    Args:
        which: Filter.
        validate_only: Only count the jobs that are PAUSED.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = messages.ResumeJobsRequest(namespace=scope.namespace, filter=_message(which), validate_only=validate_only)
    call = Call(_method("ResumeJobs", messages.ResumeJobsResponse), request, whole, timeout)
    return (yield from _count(call, request, "resumed_count"))


def redrive(
    scope: Scope, which: JobFilter, *, validate_only: bool = False, timeout: float | None = None
) -> Steps[Redriven]:
    """Retries all matching jobs that were not retried before, page by page, as new jobs.

    An interrupted redrive can be started again: it retries no job twice.

    Args:
        which: Filter. Without states: FAILED and EXPIRED jobs.
        validate_only: Only count the jobs.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = messages.RetryJobsRequest(namespace=scope.namespace, validate_only=validate_only, filter=_message(which))
    call = Call(_method("RetryJobs", messages.RetryJobsResponse), request, whole, timeout)
    retried: list[str] = []
    made: list[str] = []
    skipped = 0
    while True:
        page = yield call
        retried += page.retried_job_ids
        made += page.job_ids
        skipped += page.skipped_count
        request.page_token = page.next_page_token
        if not request.page_token:
            return Redriven(tuple(retried), tuple(made), skipped)


def logs(
    scope: Scope,
    job: JobRef,
    *,
    attempt: int = 0,
    follow: bool = False,
    page_size: int = 200,
    timeout: float | None = None,
) -> Pages[LogRecord]:
    """Yields the log records of the job's handlers: by attempt, and in the order of writing.

    Muster keeps the newest 64 KiB of each attempt; `skipped_count` of a record is the number of records that are
    missing before it. Texts are unchanged, control characters included.

    Args:
        job: The job.
        attempt: Only records of this attempt. 0: of all attempts.
        follow: Continue until the job has ended, or the attempt is over. Each record arrives within milliseconds of its
            arrival at the control plane. A lost connection is reopened; no record is yielded twice.
        page_size: Records fetched per call, at most 1,000; ignored with `follow`.
        timeout: Seconds for each page, retries included. None: the client's. With `follow` it is the maximum total
        time.
            None: no limit.

    Raises:
        MusterError: NOT_FOUND, when there is no such job. With `follow` also DEADLINE_EXCEEDED, when the time is up,
            and UNAVAILABLE, when the control plane stays out of reach.
    """
    asked: dict[str, Any] = {"namespace": scope.namespace, "job_id": id_of(job), "attempt": attempt}
    if follow:
        yield FollowedLogs(messages.WatchAttemptLogsRequest(**asked), timeout)
        return
    request = messages.ListAttemptLogsRequest(**asked, page_size=page_size)
    call = Call(_method("ListAttemptLogs", messages.ListAttemptLogsResponse), request, whole, timeout)
    while True:
        page = yield call
        yield Items(page.records)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


def _count(call: Call[Any], request: Any, field: str) -> Steps[int]:
    """Calls for all pages. Returns the sum of this field."""
    total = 0
    while True:
        page = yield call
        total += int(getattr(page, field))
        request.page_token = page.next_page_token
        if not request.page_token:
            return total


def _message(which: JobFilter) -> messages.JobFilter:
    return messages.JobFilter(**which.fields())


def _method(name: str, reply: Any) -> Method:
    return Method("JobService", name, reply)


def _job(reply: Any) -> Job:
    found: Job = reply.job
    return found
