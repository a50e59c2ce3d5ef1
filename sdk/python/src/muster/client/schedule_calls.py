"""Calls for schedules."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from muster.client.call import Call, Method, Pages, Scope, new_id, whole
from muster.client.listing import all_pages
from muster.client.schedule import (
    OverlapWord,
    ScheduleOptions,
    TimesOptions,
    overlap_number,
    schedule_message,
    times_message,
)
from muster.client.words import to_timestamp
from muster.v1 import schedule_service_pb2 as messages
from muster.v1.schedule_pb2 import Schedule, ScheduleRun

if TYPE_CHECKING:
    from typing_extensions import Unpack


def apply_schedule(
    scope: Scope,
    name: str,
    definition: str,
    input: Any = None,  # noqa: A002
    *,
    request_id: str = "",
    timeout: float | None = None,
    **options: Unpack[ScheduleOptions],
) -> Call[Schedule]:
    """Creates or changes a schedule. Unchanged content changes nothing.

    Args:
        name: The schedule's name: lowercase letters, digits and "-", at most 63 characters.
        definition: The definition of its jobs.
        input: The input of each job: any JSON value, a dataclass, a pydantic model, a msgspec struct, bytes, a protobuf
            message, or nothing.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: Times and options, see `ScheduleOptions`.

    Raises:
        MusterError: INVALID_ARGUMENT, `violations` names each field; NOT_FOUND (DEFINITION_NOT_FOUND); ABORTED
            (ETAG_STALE) when the schedule has changed since `etag` was read.
    """
    request = _apply_request(scope, name, definition, input, options)
    request.request_id = new_id(request_id)
    return Call(_method("ApplySchedule", messages.ApplyScheduleResponse), request, _schedule, timeout)


def check_schedule(
    scope: Scope,
    name: str,
    definition: str,
    input: Any = None,  # noqa: A002
    *,
    timeout: float | None = None,
    **options: Unpack[ScheduleOptions],
) -> Call[messages.ApplyScheduleResponse]:
    """Checks a schedule without storing it. Returns what `apply_schedule` would store, with its next five times.

    Args:
        name: The schedule's name.
        definition: The definition of its jobs.
        input: The input of each job.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: Times and options, see `ScheduleOptions`.

    Raises:
        MusterError: As `apply_schedule` would.
    """
    request = _apply_request(scope, name, definition, input, options)
    request.validate_only = True
    request.request_id = new_id("")
    return Call(_method("ApplySchedule", messages.ApplyScheduleResponse), request, whole, timeout)


def get_schedule(scope: Scope, name: str, *, timeout: float | None = None) -> Call[Schedule]:
    """Reads a schedule.

    Raises:
        MusterError: NOT_FOUND (SCHEDULE_NOT_FOUND).
    """
    request = messages.GetScheduleRequest(namespace=scope.namespace, name=name)
    return Call(_method("GetSchedule", messages.GetScheduleResponse), request, _schedule, timeout)


def list_schedules(scope: Scope, *, page_size: int = 0, timeout: float | None = None) -> Pages[Schedule]:
    """Yields all schedules by name. Pages are fetched as the loop proceeds."""
    request = messages.ListSchedulesRequest(namespace=scope.namespace, page_size=page_size)
    method = _method("ListSchedules", messages.ListSchedulesResponse)
    return all_pages(method, request, lambda page: page.schedules, timeout)


def delete_schedule(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[None]:
    """Deletes a schedule and the records of its runs; its jobs stay.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.DeleteScheduleRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    return Call(_method("DeleteSchedule", messages.DeleteScheduleResponse), request, lambda _: None, timeout)


def pause_schedule(
    scope: Scope, name: str, reason: str = "", *, request_id: str = "", timeout: float | None = None
) -> Call[Schedule]:
    """Skips the times of a schedule until it is resumed. Pausing twice is no error.

    Args:
        name: The schedule's name.
        reason: Reason, shown to operators. At most 256 characters.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.PauseScheduleRequest(
        namespace=scope.namespace, name=name, reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("PauseSchedule", messages.PauseScheduleResponse), request, _schedule, timeout)


def resume_schedule(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[Schedule]:
    """Resumes a paused schedule: it continues with its next time. Resuming twice is no error."""
    request = messages.ResumeScheduleRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    return Call(_method("ResumeSchedule", messages.ResumeScheduleResponse), request, _schedule, timeout)


def trigger_schedule(
    scope: Scope,
    name: str,
    *,
    overlap_policy: OverlapWord | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[ScheduleRun]:
    """Starts one run now, also of a paused schedule, and returns it: with its job, unless it waits or was skipped.

    Args:
        name: The schedule's name.
        overlap_policy: What happens when a job of the schedule is still open. None: the schedule's policy.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; RESOURCE_EXHAUSTED when 1,000 runs already wait.
    """
    request = messages.TriggerScheduleRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    if overlap_policy is not None:
        request.overlap_policy = overlap_number(overlap_policy)
    return Call(_method("TriggerSchedule", messages.TriggerScheduleResponse), request, _run, timeout)


def backfill_schedule(
    scope: Scope,
    name: str,
    start_time: dt.datetime,
    end_time: dt.datetime,
    *,
    overlap_policy: OverlapWord | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[int]:
    """Starts a run for each time of an interval, at most 1,000, and returns their number.

    Args:
        name: The schedule's name.
        start_time: Times from this one on count.
        end_time: Times before this one count.
        overlap_policy: What happens when runs overlap. None: "BUFFER_ALL", one after the other.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; INVALID_ARGUMENT; RESOURCE_EXHAUSTED when more than 1,000 runs would wait.
        ValueError: A time has no time zone.
    """
    request = messages.BackfillScheduleRequest(
        namespace=scope.namespace,
        name=name,
        request_id=new_id(request_id),
        start_time=to_timestamp(start_time),
        end_time=to_timestamp(end_time),
    )
    if overlap_policy is not None:
        request.overlap_policy = overlap_number(overlap_policy)
    return Call(_method("BackfillSchedule", messages.BackfillScheduleResponse), request, _times, timeout)


def preview_schedule(
    scope: Scope,
    name: str = "",
    *,
    after_time: dt.datetime | None = None,
    count: int = 0,
    timeout: float | None = None,
    **options: Unpack[TimesOptions],
) -> Call[list[dt.datetime]]:
    """Returns the next times of a schedule or, without a name, of rules that are not stored yet.

    Args:
        name: The schedule's name. Empty: use the rules of the options.
        after_time: Times after this one. None: now.
        count: Number of times, at most 1,000. 0: 10.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: Rules, see `TimesOptions`; only without a name.

    Raises:
        MusterError: INVALID_ARGUMENT; NOT_FOUND.
        ValueError: A time has no time zone.
    """
    request = messages.PreviewScheduleRequest(namespace=scope.namespace, name=name, count=count)
    if options or not name:
        request.times.CopyFrom(times_message(options))
    if after_time is not None:
        request.after_time.CopyFrom(to_timestamp(after_time))
    return Call(_method("PreviewSchedule", messages.PreviewScheduleResponse), request, _moments, timeout)


def list_schedule_runs(
    scope: Scope, name: str, *, page_size: int = 0, timeout: float | None = None
) -> Pages[ScheduleRun]:
    """Yields the runs of a schedule, newest time first. Pages are fetched as the loop proceeds.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.ListScheduleRunsRequest(namespace=scope.namespace, name=name, page_size=page_size)
    method = _method("ListScheduleRuns", messages.ListScheduleRunsResponse)
    return all_pages(method, request, lambda page: page.runs, timeout)


def _apply_request(
    scope: Scope, name: str, definition: str, job_input: Any, options: ScheduleOptions
) -> messages.ApplyScheduleRequest:
    schedule = schedule_message(scope.namespace, name, definition, job_input, options)
    return messages.ApplyScheduleRequest(schedule=schedule)


def _method(name: str, reply: Any) -> Method:
    return Method("ScheduleService", name, reply)


def _schedule(reply: Any) -> Schedule:
    found: Schedule = reply.schedule
    return found


def _run(reply: Any) -> ScheduleRun:
    found: ScheduleRun = reply.run
    return found


def _times(reply: Any) -> int:
    return int(reply.time_count)


def _moments(reply: Any) -> list[dt.datetime]:
    return [time.ToDatetime(dt.timezone.utc) for time in reply.times]
