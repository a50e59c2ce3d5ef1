"""What can be asked of schedules."""

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
    """Makes a schedule, or changes the one that is there; the same content again changes nothing.

    Args:
        name: The schedule's name: small letters, digits and "-", at most 63.
        definition: The definition of its jobs.
        input: The input of each job: any JSON value, bytes, a dataclass, a protobuf message, or nothing.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.
        **options: When it runs and how, see `ScheduleOptions`.

    Raises:
        MusterError: INVALID_ARGUMENT, `violations` names each field; NOT_FOUND (DEFINITION_NOT_FOUND); ABORTED
            (ETAG_STALE) when somebody has changed it since `etag` was read.
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
    """Stores nothing, and answers what `apply_schedule` would store, with its next five times in `next_times`.

    Args:
        name: The schedule's name.
        definition: The definition of its jobs.
        input: The input of each job.
        timeout: Seconds for the call, repeats included. None: the client's.
        **options: When it runs and how, see `ScheduleOptions`.

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
    """Gives all schedules by name; pages are fetched as the loop goes on."""
    request = messages.ListSchedulesRequest(namespace=scope.namespace, page_size=page_size)
    method = _method("ListSchedules", messages.ListSchedulesResponse)
    return all_pages(method, request, lambda page: page.schedules, timeout)


def delete_schedule(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[None]:
    """Deletes a schedule with the record of its runs; its jobs stay.

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
        reason: Why, for people. At most 256 characters.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.PauseScheduleRequest(
        namespace=scope.namespace, name=name, reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("PauseSchedule", messages.PauseScheduleResponse), request, _schedule, timeout)


def resume_schedule(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[Schedule]:
    """Lets a paused schedule go on with the times to come. Resuming twice is no error."""
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
    """Asks for one run now, also of a paused schedule, and answers it: with its job, unless it waits or was skipped.

    Args:
        name: The schedule's name.
        overlap_policy: What happens when a job of it runs already. None: as the schedule says.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; RESOURCE_EXHAUSTED when 1,000 runs wait already.
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
    """Asks for a run for each time of a span, at most 1,000, and answers how many there are.

    Args:
        name: The schedule's name.
        start_time: The first time that counts.
        end_time: Times before this one count.
        overlap_policy: What happens where runs overlap. None: "BUFFER_ALL", one after the other.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; INVALID_ARGUMENT; RESOURCE_EXHAUSTED when more than 1,000 runs would wait.
        ValueError: A time says nothing of its time zone.
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
    """Gives the next times of a schedule or, without a name, of rules that are none yet.

    Args:
        name: The schedule's name. Empty: the options say when.
        after_time: Times after this one. None: now.
        count: How many, at most 1,000. 0: 10.
        timeout: Seconds for the call, repeats included. None: the client's.
        **options: Rules, see `TimesOptions`; only without a name.

    Raises:
        MusterError: INVALID_ARGUMENT; NOT_FOUND.
        ValueError: A time says nothing of its time zone.
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
    """Gives what became of the times of a schedule, newest first; pages are fetched as the loop goes on.

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
    return int(reply.times)


def _moments(reply: Any) -> list[dt.datetime]:
    return [time.ToDatetime(dt.timezone.utc) for time in reply.times]
