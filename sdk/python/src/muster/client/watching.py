"""Watches: a job, the logs of its handlers, and the events of all jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from muster.client.call import Method, Pages, Scope
from muster.client.following import Following
from muster.client.job_ref import JobRef, id_of, is_terminal, state_number
from muster.v1 import event_service_pb2 as event_messages
from muster.v1 import job_service_pb2 as messages
from muster.v1.event_pb2 import JobEvent
from muster.v1.job_pb2 import Job
from muster.v1.log_record_pb2 import LogRecord

_WATCH_JOB = Method("JobService", "WatchJob", messages.WatchJobResponse)
_WATCH_EVENTS = Method("EventService", "WatchEvents", event_messages.WatchEventsResponse)
_WATCH_LOGS = Method("JobService", "WatchAttemptLogs", messages.WatchAttemptLogsResponse)


def watch(scope: Scope, job: JobRef, *, timeout: float | None = None) -> Pages[Job]:
    """Yields the job as it is now, then after each change, until it has ended.

    Changes in quick succession are merged into one. A lost connection is reopened; no change is yielded twice. Leaving
    the loop ends the watch.

    Args:
        job: The job.
        timeout: Maximum duration of the watch in seconds. None: no limit.

    Raises:
        MusterError: NOT_FOUND; DEADLINE_EXCEEDED, when the time is up; UNAVAILABLE, when the control plane stays
            out of reach.
    """
    yield WatchedJob(messages.WatchJobRequest(namespace=scope.namespace, job_id=id_of(job)), timeout)


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events that were stored together.

    Attributes:
        events: In the order of storing.
        position: Position after these events. Pass it as `after` to continue in another watch.
    """

    events: Sequence[JobEvent]
    position: int


def watch_events(
    scope: Scope,
    *,
    after: int | None = None,
    states: Sequence[str | int] = (),
    job: JobRef | None = None,
    kept_only: bool = False,
    timeout: float | None = None,
) -> Pages[EventPage]:
    """Yields the events of the namespace's jobs, about 250 ms after they happened.

    Each state change comes at least once, except changes to ASSIGNED and RUNNING. Duplicates have the same job and
    revision. A lost connection is reopened after the last position. Events before the first position are missed, unless
    `after` is given. A program that must not miss any event, also while it is down, stores the position, or reads the
    stream on NATS. Leaving the loop ends the watch.

    Args:
        after: Only events after this position; 0 means from the oldest kept event. None: only new events, or with
            `kept_only` from the oldest kept one.
        states: Only jobs that enter one of these states, such as "FAILED". Empty: all.
        job: Only events of this job. None: of all jobs.
        kept_only: End after the newest kept event instead of waiting for more.
        timeout: Maximum duration of the watch in seconds. None: no limit.

    Raises:
        MusterError: OUT_OF_RANGE (EVENT_POSITION_GONE), when the events after the position are no longer kept;
            RESOURCE_EXHAUSTED, when there are too many watches; DEADLINE_EXCEEDED, when the time is up; UNAVAILABLE,
            when the control plane or its bus stays out of reach.
        ValueError: A state is unknown.
    """
    asked: dict[str, Any] = {
        "namespace": scope.namespace,
        "after_position": after,
        "states": [state_number(state) for state in states],
        "job_id": "" if job is None else id_of(job),
        "kept_only": kept_only,
    }
    request = event_messages.WatchEventsRequest(**asked)
    yield WatchedEvents(request, timeout)


class WatchedEvents(Following[EventPage]):
    """Events of jobs. The position is the state between two streams."""

    def __init__(self, request: event_messages.WatchEventsRequest, timeout: float | None) -> None:
        super().__init__(_WATCH_EVENTS, request, timeout)
        self._events_request = request

    def _take(self, reply: event_messages.WatchEventsResponse) -> Sequence[EventPage]:
        self._events_request.after_position = reply.position
        self.is_over = self._events_request.kept_only and not reply.events
        return [EventPage(tuple(reply.events), reply.position)]


class WatchedJob(Following[Job]):
    """Changes of a job. The revision is the state between two streams."""

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
    """Log records of a job. The resume token is the state between two streams."""

    def __init__(self, request: messages.WatchAttemptLogsRequest, timeout: float | None) -> None:
        super().__init__(_WATCH_LOGS, request, timeout)
        self._logs_request = request

    def _take(self, reply: messages.WatchAttemptLogsResponse) -> Sequence[LogRecord]:
        self._logs_request.resume_token = reply.resume_token
        self.is_over = reply.ended
        return list(reply.records)
