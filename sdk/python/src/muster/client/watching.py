"""What is followed to its end: a job, and what its handlers log."""

from __future__ import annotations

from collections.abc import Sequence

from muster.client.call import Method, Pages, Scope
from muster.client.following import Following
from muster.client.job_ref import JobRef, id_of, is_terminal
from muster.v1 import job_service_pb2 as messages
from muster.v1.job_pb2 import Job
from muster.v1.log_record_pb2 import LogRecord

_WATCH_JOB = Method("JobService", "WatchJob", messages.WatchJobResponse)
_WATCH_LOGS = Method("JobService", "WatchAttemptLogs", messages.WatchAttemptLogsResponse)


def watch(scope: Scope, job: JobRef, *, timeout: float | None = None) -> Pages[Job]:
    """Gives the job as it is now, then each time it has changed, until it has ended.

    Changes that follow each other closely are folded into one. A connection that is lost is made anew; no change is
    told twice. Leaving the loop ends the watch.

    Args:
        job: The job.
        timeout: Longest watch, in seconds. None: no limit.

    Raises:
        MusterError: NOT_FOUND; DEADLINE_EXCEEDED, when the time is up; UNAVAILABLE, when the control plane stays
            out of reach.
    """
    yield WatchedJob(messages.WatchJobRequest(namespace=scope.namespace, job_id=id_of(job)), timeout)


class WatchedJob(Following[Job]):
    """A job; a change is one revision."""

    def __init__(self, request: messages.WatchJobRequest, timeout: float | None) -> None:
        super().__init__(_WATCH_JOB, request, timeout)
        self._revision: int | None = None

    def _take(self, reply: messages.WatchJobResponse) -> Sequence[Job]:
        job: Job = reply.job
        if job.revision == self._revision:
            return []
        self._revision = job.revision
        self.is_over = is_terminal(job.state)
        return [job]


class FollowedLogs(Following[LogRecord]):
    """What the handlers of a job log."""

    def __init__(self, request: messages.WatchAttemptLogsRequest, timeout: float | None) -> None:
        super().__init__(_WATCH_LOGS, request, timeout)
        self._logs_request = request

    def _take(self, reply: messages.WatchAttemptLogsResponse) -> Sequence[LogRecord]:
        self._logs_request.resume_token = reply.resume_token
        self.is_over = reply.ended
        return list(reply.records)
