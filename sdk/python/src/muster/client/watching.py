"""What is followed: a job, what its handlers log, and what happens to all jobs."""

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


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events that were stored together.

    Attributes:
        events: In the order of storing.
        position: Where to go on from after them: `after` of another watch.
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
    """Gives what happens to the namespace's jobs, about a quarter of a second after it happened.

    Each change of a state comes at least once, but that jobs become ASSIGNED or RUNNING; one that comes twice has the
    same job and revision. A connection that is lost is made anew, after the last position; what happens before there is
    a first one is missed, unless `after` is given. A program that must not miss anything, also while it is down, keeps
    the position, or reads the stream on NATS. Leaving the loop ends the watch.

    Args:
        after: Only what came after this position, and what is to come; 0: from the oldest event that is kept. None:
            only what is to come, or with `kept_only` from the oldest as well.
        states: Only of jobs that enter one of these states, such as "FAILED". Empty: of all.
        job: Only of this job. None: of all.
        kept_only: Ends after the newest event that is kept, in place of waiting for more.
        timeout: Longest watch, in seconds. None: no limit.

    Raises:
        MusterError: OUT_OF_RANGE, when what came after the position is not kept any more; RESOURCE_EXHAUSTED, when too
            many watch; DEADLINE_EXCEEDED, when the time is up; UNAVAILABLE, when the control plane or its bus stays out
            of reach.
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
    """What happens to jobs; a position says how much of it was told."""

    def __init__(self, request: event_messages.WatchEventsRequest, timeout: float | None) -> None:
        super().__init__(_WATCH_EVENTS, request, timeout)
        self._events_request = request

    def _take(self, reply: event_messages.WatchEventsResponse) -> Sequence[EventPage]:
        self._events_request.after_position = reply.position
        self.is_over = self._events_request.kept_only and not reply.events
        return [EventPage(tuple(reply.events), reply.position)]


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
