"""Calls for one job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from muster.client.call import Call, Method, Scope, new_id
from muster.client.job_ref import JobRef, SubmittedJob, id_of
from muster.client.submission import JobOptions, job_submission
from muster.client.words import to_timestamp
from muster.durations import to_duration
from muster.v1 import job_service_pb2 as messages
from muster.v1.job_explanation_pb2 import JobExplanation
from muster.v1.job_pb2 import Job, JobSubmission

if TYPE_CHECKING:
    from typing_extensions import Unpack


def submit(
    scope: Scope,
    definition: str,
    input: Any = None,  # noqa: A002 - the word of the contract
    *,
    batch: JobRef = "",
    parent: messages.ParentAttempt | None = None,
    request_id: str = "",
    timeout: float | None = None,
    **options: Unpack[JobOptions],
) -> Call[SubmittedJob]:
    """Submits a job. The job is committed when the call returns.

    Args:
        definition: Name of the definition.
        input: A JSON value, a dataclass, a pydantic model, a msgspec struct, bytes, a protobuf message, or a `Payload`;
            see `muster.payloads.encode`.
        batch: Job of an open batch; the new job becomes its member. Empty: none.
        parent: The attempt whose handler submits the job. Handlers use `ctx.submit` instead. None: none.
        request_id: UUID that makes retries of this call idempotent, also after a restart of this process. Empty: a new
            one.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: Options of the job, see `JobOptions`.

    Raises:
        TypeError: The input has no JSON form.
        MusterError: NOT_FOUND, when there is no such definition.
    """
    request = messages.SubmitJobRequest(
        namespace=scope.namespace,
        job=job_submission(definition, input, **options),
        request_id=new_id(request_id),
        batch_job_id=id_of(batch),
        parent=parent,
    )
    method = _method("SubmitJob", messages.SubmitJobResponse)
    return Call(method, request, _submitted, timeout, submits=(definition,))


def submit_many(
    scope: Scope,
    jobs: Iterable[JobSubmission],
    *,
    batch: JobRef = "",
    request_id: str = "",
    timeout: float | None = None,
) -> Call[list[SubmittedJob]]:
    """Submits at most 10,000 jobs of 3 MiB in total, all or none. Returns them in the same order.

    Args:
        jobs: See `job_submission`.
        batch: Job of an open batch; the new jobs become its members. Empty: none.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
    """
    request = messages.SubmitJobsRequest(
        namespace=scope.namespace, jobs=jobs, request_id=new_id(request_id), batch_job_id=id_of(batch)
    )
    method = _method("SubmitJobs", messages.SubmitJobsResponse)
    definitions = tuple(job.definition for job in request.jobs)
    return Call(method, request, _all_submitted, timeout, submits=definitions)


def get(scope: Scope, job: JobRef, *, timeout: float | None = None) -> Call[Job]:
    """Reads the current state of a job."""
    request = messages.GetJobRequest(namespace=scope.namespace, job_id=id_of(job))
    return Call(_method("GetJob", messages.GetJobResponse), request, _job, timeout)


def cancel(
    scope: Scope,
    job: JobRef,
    reason: str = "",
    *,
    grace: float | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Job]:
    """Cancels a job and returns it as it is then: CANCELLED, or CANCELLING until its handler returns.

    It is SUCCEEDED if the handler has returned a result meanwhile.

    Args:
        job: The job.
        reason: Reason, shown to operators. At most 256 characters.
        grace: Seconds that the handler may take, or those of the workflow's or batch's jobs; at most an hour. 0: nobody
            waits for it, and the job is CANCELLED at once. None: the `cancel_grace` of each definition.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
    """
    request = messages.CancelJobRequest(
        namespace=scope.namespace,
        job_id=id_of(job),
        reason=reason,
        request_id=new_id(request_id),
        grace=None if grace is None else to_duration(grace),
    )
    return Call(_method("CancelJob", messages.CancelJobResponse), request, _job, timeout)


def pause(
    scope: Scope,
    job: JobRef,
    reason: str = "",
    *,
    running: bool = False,
    grace: float | None = None,
    stop_timeouts: bool = False,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Job]:
    """Pauses a job and returns it as it is then: PAUSED, or still RUNNING until its handler has stopped.

    Its expiry time stays in force.

    Args:
        job: The job.
        reason: Reason, shown to operators. At most 256 characters.
        running: Also pauses a job that runs: its handler is asked to stop, and the attempt does not count; and a
            workflow or a batch that has begun, with its jobs. Otherwise such a job is refused.
        grace: Seconds that the handler may take, or those of the workflow's or batch's jobs; at most an hour. None: the
            `cancel_grace` of each definition.
        stop_timeouts: The total timeout stops meanwhile, and starts anew when the job is resumed.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
    """
    request = messages.PauseJobRequest(
        namespace=scope.namespace,
        job_id=id_of(job),
        reason=reason,
        request_id=new_id(request_id),
        running=running,
        grace=None if grace is None else to_duration(grace),
        timeouts=messages.PAUSED_TIMEOUTS_STOP if stop_timeouts else messages.PAUSED_TIMEOUTS_UNSPECIFIED,
    )
    return Call(_method("PauseJob", messages.PauseJobResponse), request, _job, timeout)


def resume(scope: Scope, job: JobRef, *, request_id: str = "", timeout: float | None = None) -> Call[Job]:
    """Resumes a paused job: at once, or at its run time if that is still ahead.

    One that is `exhausted` gets all attempts of its retry policy again.
    """
    request = messages.ResumeJobRequest(namespace=scope.namespace, job_id=id_of(job), request_id=new_id(request_id))
    return Call(_method("ResumeJob", messages.ResumeJobResponse), request, _job, timeout)


def fail(
    scope: Scope, job: JobRef, reason: str = "", *, request_id: str = "", timeout: float | None = None
) -> Call[Job]:
    """Ends a job that is PAUSED after a failed attempt: FAILED, with that failure. Returns it.

    Args:
        job: The job.
        reason: Reason, shown to operators. At most 256 characters.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: FAILED_PRECONDITION: JOB_ENDED; JOB_NOT_FAILED: it is not paused, or its last attempt has not
            failed.
    """
    request = messages.FailJobRequest(
        namespace=scope.namespace, job_id=id_of(job), reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("FailJob", messages.FailJobResponse), request, _job, timeout)


def update(
    scope: Scope,
    job: JobRef,
    *,
    priority: int | None = None,
    run_time: dt.datetime | None = None,
    expire_time: dt.datetime | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Job]:
    """Changes a waiting job and returns it. Omitted fields stay unchanged.

    Args:
        job: The job.
        priority: From -100 to 100; higher runs sooner.
        run_time: Not before this time. A time in the past lets the job run at once.
        expire_time: The job expires when it has not started by this time.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
    """
    request = messages.UpdateJobRequest(
        namespace=scope.namespace, job_id=id_of(job), priority=priority, request_id=new_id(request_id)
    )
    if run_time is not None:
        request.run_time.CopyFrom(to_timestamp(run_time))
    if expire_time is not None:
        request.expire_time.CopyFrom(to_timestamp(expire_time))
    return Call(_method("UpdateJob", messages.UpdateJobResponse), request, _job, timeout)


def retry(
    scope: Scope,
    job: JobRef,
    *,
    skip_steps: Sequence[str] = (),
    reason: str = "",
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Job]:
    """Submits a copy of an ended job and returns it. Its `retry_of` names the original.

    Args:
        job: The job.
        skip_steps: Names of steps that the new workflow skips. At most 100, without duplicates.
        reason: Reason, shown to operators. At most 1,024 characters.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (JOB_NOT_FOUND, STEP_NOT_FOUND); FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED,
            DEFINITION_ARCHIVED, NOT_A_WORKFLOW, STEP_NOT_SKIPPABLE); ALREADY_EXISTS (DUPLICATE_JOB).
    """
    request = messages.RetryJobRequest(
        namespace=scope.namespace,
        job_id=id_of(job),
        request_id=new_id(request_id),
        skip_steps=skip_steps,
        reason=reason,
    )
    return Call(_method("RetryJob", messages.RetryJobResponse), request, _job, timeout)


def erase(scope: Scope, job: JobRef, reason: str, *, timeout: float | None = None) -> Call[str]:
    """Erases the personal data of an ended job irrevocably and returns the id of the audit record.

    Args:
        job: The job.
        reason: Reason, and who demanded it. Between 1 and 256 characters.
        timeout: Seconds for the call, retries included. None: the client's.
    """
    request = messages.EraseJobRequest(namespace=scope.namespace, job_id=id_of(job), reason=reason)
    return Call(_method("EraseJob", messages.EraseJobResponse), request, lambda reply: str(reply.audit_id), timeout)


def explain(scope: Scope, job: JobRef, *, timeout: float | None = None) -> Call[JobExplanation]:
    """Explains the state of a job; `summary` of the answer says all of it in sentences.

    Before its start: what blocks the job, who holds that and when it is released, its position in the queue, and an
    estimate of its start. Later: which worker has it, or how it ended.

    Args:
        job: The job.
        timeout: Seconds for the call, retries included. None: the client's.
    """
    request = messages.ExplainJobRequest(namespace=scope.namespace, job_id=id_of(job))
    return Call(_method("ExplainJob", messages.ExplainJobResponse), request, _explanation, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("JobService", name, reply)


def _explanation(reply: Any) -> JobExplanation:
    explanation: JobExplanation = reply.explanation
    return explanation


def _job(reply: Any) -> Job:
    found: Job = reply.job
    return found


def _all_submitted(reply: messages.SubmitJobsResponse) -> list[SubmittedJob]:
    return [_submitted(job) for job in reply.jobs]


def _submitted(reply: messages.SubmitJobResponse | messages.SubmissionResult) -> SubmittedJob:
    return SubmittedJob(reply.job_id, reply.existing)
