"""Submits jobs and follows them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

import grpc

from muster import payloads
from muster.channels import channel_options
from muster.durations import to_duration
from muster.errors import JobFailedError, MusterError
from muster.transport_retry import call_with_retry
from muster.v1 import job_pb2
from muster.v1.job_definition_pb2 import JobDefinition, TaskBody
from muster.v1.job_definition_service_pb2 import ApplyJobDefinitionRequest, GetJobDefinitionRequest
from muster.v1.job_definition_service_pb2_grpc import JobDefinitionServiceStub
from muster.v1.job_pb2 import Job, JobState, JobSubmission
from muster.v1.job_service_pb2 import (
    CancelJobRequest,
    GetJobRequest,
    ListAttemptLogsRequest,
    SubmitJobRequest,
    SubmitJobsRequest,
    WaitJobRequest,
)
from muster.v1.job_service_pb2_grpc import JobServiceStub
from muster.v1.log_record_pb2 import LogRecord
from muster.v1.retry_policy_pb2 import RetryPolicy

_CALL_SECONDS = 15.0
_POLL_SECONDS = 30.0
_POLL_SLACK_SECONDS = 5.0
_FOLLOW_SECONDS = 1.0
_LOG_PAGE = 200
_TERMINAL = frozenset(
    {
        job_pb2.JOB_STATE_SUCCEEDED,
        job_pb2.JOB_STATE_FAILED,
        job_pb2.JOB_STATE_CANCELLED,
        job_pb2.JOB_STATE_EXPIRED,
        job_pb2.JOB_STATE_SKIPPED,
    }
)


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A job as it was accepted.

    Attributes:
        job_id: The job's UUID.
        existing: Whether the job was there already: the idempotency key or the request id was in use.
    """

    job_id: str
    existing: bool


JobRef: TypeAlias = "str | SubmittedJob"


class Client:
    """A connection to Muster; may be used from several threads.

    Every method raises `MusterError` when the call fails. What fails because the control plane can't be reached is
    repeated a bounded number of times under one request id, so that a repeated submission is the same job.

    Args:
        address: gRPC target of the control plane; may name several replicas, see `muster.channels`.
        namespace: Empty: "default".
        timeout: Longest time of a call in seconds, repeats included.
    """

    def __init__(self, address: str = "127.0.0.1:7070", *, namespace: str = "", timeout: float = _CALL_SECONDS) -> None:
        self._namespace = namespace
        self._timeout = timeout
        self._channel = grpc.insecure_channel(address, options=channel_options(address))
        self._jobs = JobServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._definitions = JobDefinitionServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def apply_definition(
        self,
        name: str,
        *,
        handler: str = "",
        queue: str = "",
        run_timeout: float | None = None,
        retry_policy: RetryPolicy | None = None,
        definition: JobDefinition | None = None,
    ) -> JobDefinition:
        """Stores a definition as a new version; the same content again gives the version that is there.

        Args:
            name: The definition's name.
            handler: Name of the handler that runs its jobs. Empty: the definition's name.
            queue: The queue its jobs wait in. Empty: "default".
            run_timeout: Longest time an attempt may run, in seconds. None: 1 h.
            retry_policy: How failed attempts are retried. None: the default policy.
            definition: Everything else; the other arguments are set on a copy of it.
        """
        wanted = JobDefinition()
        if definition is not None:
            wanted.CopyFrom(definition)
        wanted.name = name
        wanted.namespace = wanted.namespace or self._namespace
        if wanted.WhichOneof("body") is None:
            wanted.task.CopyFrom(TaskBody())
        if handler:
            wanted.task.handler = handler
        if queue:
            wanted.queue = queue
        if run_timeout is not None:
            wanted.run_timeout.CopyFrom(to_duration(run_timeout))
        if retry_policy is not None:
            wanted.retry_policy.CopyFrom(retry_policy)
        request = ApplyJobDefinitionRequest(definition=wanted, request_id=str(uuid.uuid4()))
        response = call_with_retry(self._definitions.ApplyJobDefinition, request, self._timeout)
        stored: JobDefinition = response.definition
        return stored

    def get_definition(self, name: str, version: int = 0) -> JobDefinition:
        """Reads a definition. Version 0: the newest."""
        request = GetJobDefinitionRequest(namespace=self._namespace, name=name, version=version)
        response = call_with_retry(self._definitions.GetJobDefinition, request, self._timeout)
        stored: JobDefinition = response.definition
        return stored

    def submit(
        self,
        definition: str,
        input: Any = None,  # noqa: A002 - the word of the contract
        *,
        idempotency_key: str = "",
        labels: Mapping[str, str] | None = None,
        priority: int | None = None,
        delay: float | None = None,
        submission: JobSubmission | None = None,
    ) -> SubmittedJob:
        """Stores a job; when it answers, the job is committed.

        Args:
            definition: Name of the definition.
            input: Any JSON value, bytes, or a `Payload`.
            idempotency_key: A key of your business: a second submission with it is the same job.
            labels: Labels for people and for filters.
            priority: From -100 to 100; higher runs sooner. None: the definition's.
            delay: Seconds before which it does not start. None: at once.
            submission: Everything else; the other arguments are set on a copy of it.
        """
        job = JobSubmission()
        if submission is not None:
            job.CopyFrom(submission)
        job.MergeFrom(job_submission(definition, input))
        job.labels.update(labels or {})
        if idempotency_key:
            job.idempotency_key = idempotency_key
        if priority is not None:
            job.priority = priority
        if delay is not None:
            job.delay.CopyFrom(to_duration(delay))
        request = SubmitJobRequest(namespace=self._namespace, job=job, request_id=str(uuid.uuid4()))
        response = call_with_retry(self._jobs.SubmitJob, request, self._timeout)
        return SubmittedJob(response.job_id, response.existing)

    def submit_many(self, jobs: Iterable[JobSubmission]) -> list[SubmittedJob]:
        """Stores up to 10,000 jobs of at most 3 MiB together, all or none; answers in their order.

        Args:
            jobs: See `job_submission`.
        """
        request = SubmitJobsRequest(namespace=self._namespace, jobs=jobs, request_id=str(uuid.uuid4()))
        response = call_with_retry(self._jobs.SubmitJobs, request, self._timeout)
        return [SubmittedJob(job.job_id, job.existing) for job in response.jobs]

    def get(self, job: JobRef) -> Job:
        """Reads a job as it is now."""
        request = GetJobRequest(namespace=self._namespace, job_id=_id_of(job))
        found: Job = call_with_retry(self._jobs.GetJob, request, self._timeout).job
        return found

    def wait(self, job: JobRef, timeout: float | None = None) -> Job:
        """Waits until the job has ended or the time is up, and answers the job as it is then.

        A restart of the control plane does not end the wait.

        Args:
            job: The job.
            timeout: Longest wait, in seconds. None: no limit.
        """
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            poll = max(0.0, min(_POLL_SECONDS, end - time.monotonic()))
            request = WaitJobRequest(namespace=self._namespace, job_id=_id_of(job), timeout=to_duration(poll))
            try:
                response = call_with_retry(self._jobs.WaitJob, request, poll + _POLL_SLACK_SECONDS, float("inf"))
            except MusterError as error:
                is_patient = error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
                if not is_patient or time.monotonic() >= end:
                    raise
                continue
            found: Job = response.job
            if found.state in _TERMINAL or time.monotonic() >= end:
                return found

    def result(self, job: JobRef, timeout: float | None = None) -> Any:
        """Waits for the job's end and answers what its handler returned.

        Args:
            job: The job.
            timeout: Longest wait, in seconds. None: no limit.

        Raises:
            JobFailedError: It ended without a result.
            MusterError: DEADLINE_EXCEEDED, when the time is up before.
        """
        ended = self.wait(job, timeout)
        state = JobState.Name(ended.state).removeprefix("JOB_STATE_")
        if ended.state == job_pb2.JOB_STATE_SUCCEEDED:
            return payloads.decode(ended.result)
        if ended.state in _TERMINAL:
            raise JobFailedError(ended.job_id, state, ended.failure)
        message = f"job {ended.job_id} has not ended yet: it is {state}"
        raise MusterError(message, grpc.StatusCode.DEADLINE_EXCEEDED, "WAIT_TIMEOUT")

    def cancel(self, job: JobRef, reason: str = "") -> Job:
        """Asks a job to stop and answers it as it is then: CANCELLED, or CANCELLING while its handler still runs.

        Args:
            job: The job.
            reason: Why, for people. At most 256 characters.
        """
        request = CancelJobRequest(
            namespace=self._namespace, job_id=_id_of(job), reason=reason, request_id=str(uuid.uuid4())
        )
        found: Job = call_with_retry(self._jobs.CancelJob, request, self._timeout).job
        return found

    def logs(self, job: JobRef, *, attempt: int = 0, follow: bool = False) -> Iterator[LogRecord]:
        """Gives what the job's handlers have logged: by attempt, and in each in the order of writing.

        Each record says how many before it are missing (`skipped`): the newest 64 KiB of an attempt are kept. Texts are
        as the handler wrote them, control characters included.

        Args:
            job: The job.
            attempt: Only of this attempt. 0: of all.
            follow: Goes on until the job has ended; new records come within about two seconds.

        Raises:
            MusterError: NOT_FOUND, when there is no such job.
        """
        request = ListAttemptLogsRequest(
            namespace=self._namespace, job_id=_id_of(job), attempt=attempt, page_size=_LOG_PAGE
        )
        while True:
            page = call_with_retry(self._jobs.ListAttemptLogs, request, self._timeout)
            yield from page.records
            request.page_token = page.resume_token
            if page.next_page_token:
                continue
            if not follow or page.ended:
                return
            time.sleep(_FOLLOW_SECONDS)

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def job_submission(definition: str, input: Any = None, **fields: Any) -> JobSubmission:  # noqa: A002
    """Makes a submission for `submit_many`.

    Args:
        definition: Name of the definition.
        input: Any JSON value, bytes, or a `Payload`.
        fields: Further fields of `JobSubmission`.
    """
    return JobSubmission(definition=definition, input=payloads.encode(input), **fields)


def _id_of(job: JobRef) -> str:
    return job if isinstance(job, str) else job.job_id
