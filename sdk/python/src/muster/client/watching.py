"""Follows one job over streams that may break: what was told already is passed over."""

from __future__ import annotations

import time

from muster.client.call import Method, Scope
from muster.client.job_ref import JobRef, id_of, is_terminal
from muster.errors import MusterError
from muster.transport_retry import TransportRetry
from muster.v1 import job_service_pb2 as messages
from muster.v1.job_pb2 import Job

WATCH_JOB = Method("JobService", "WatchJob", messages.WatchJobResponse)


class Watching:
    """What is known of a watch between one stream and the next.

    Attributes:
        is_over: Whether the job has ended.
        request: What every stream is asked for with.
    """

    def __init__(self, scope: Scope, job: JobRef, retry: TransportRetry, timeout: float | None) -> None:
        self.request = messages.WatchJobRequest(namespace=scope.namespace, job_id=id_of(job))
        self.is_over = False
        self._retry = retry
        self._end = None if timeout is None else time.monotonic() + timeout
        self._failures = 0
        self._revision: int | None = None

    @property
    def left(self) -> float | None:
        """Seconds that are left; None: there is no limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def news_of(self, reply: messages.WatchJobResponse) -> Job | None:
        """Takes what a stream brought; None: it was told already."""
        self._failures = 0
        job: Job = reply.job
        if job.revision == self._revision:
            return None
        self._revision = job.revision
        self.is_over = is_terminal(job.state)
        return job

    def wait_after(self, error: MusterError | None) -> float:
        """Returns the seconds until the next stream is asked for.

        Args:
            error: What the last one failed with. None: it ended.

        Raises:
            MusterError: The same, if it is worth no repeat, or the time is up.
        """
        self._failures += 1
        if error is None:
            return self._retry.backoff(self._failures)
        wait = self._retry.wait_after(error, self._failures)
        if wait is None:
            raise error
        return wait
