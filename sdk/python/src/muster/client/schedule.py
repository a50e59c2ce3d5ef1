"""Converts schedules to messages of the contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

from muster.client.options import refuse_unknown
from muster.client.submission import JobOptions, job_submission
from muster.client.words import number_of, to_timestamp
from muster.durations import Seconds, to_duration
from muster.v1.schedule_pb2 import CalendarRule, CatchUpPolicy, OverlapPolicy, Schedule, ScheduleInterval, ScheduleTimes

OverlapWord: TypeAlias = Literal["SKIP", "BUFFER_ONE", "BUFFER_ALL", "CANCEL_OTHER", "TERMINATE_OTHER", "ALLOW_ALL"]
CatchUpWord: TypeAlias = Literal["LATEST", "ALL", "NONE"]


class TimesOptions(TypedDict, total=False):
    """The times of a schedule: the union of all rules, without duplicates, minus the exclusions.

    Attributes:
        crons: Cron expressions of five fields, such as "30 9 * * mon-fri". At most 32.
        intervals: Seconds or timedeltas from one time to the next, at least 1 s, counted from 1970-01-01. At most 32.
        calendars: Times of day on the days that match all fields of a rule: mappings with any of minute, hour,
            day_of_month, month, day_of_week and year, each in cron syntax. At most 32.
        exclusions: Excluded times, as rules of the same form. At most 32.
        time_zone: Zone of the IANA database, such as "Europe/Vienna". Default: "UTC".
        start_time: Times from this one on count. Default: now.
        end_time: Times before this one count. Default: no end.
        jitter: Each job starts with a random delay of up to this time. Default: 0. At most one day.
    """

    crons: Sequence[str]
    intervals: Sequence[Seconds]
    calendars: Sequence[Mapping[str, str]]
    exclusions: Sequence[Mapping[str, str]]
    time_zone: str
    start_time: dt.datetime
    end_time: dt.datetime
    jitter: Seconds


class ScheduleOptions(TimesOptions, total=False):
    """Options of a schedule, all optional, but at least one rule is required. Times are seconds or timedeltas.

    Attributes:
        job: Options of its jobs, see `JobOptions`; without key, start, expiry, trace context, sticky and dependencies.
        overlap_policy: What happens at a time when a job of an earlier time is still open. Default: "SKIP".
        catch_up_policy: What happens to times that passed while no replica was running. Default: "LATEST".
        catch_up_window: Missed times older than this are skipped. Default: one day.
        pause_on_failure: Pauses the schedule when one of its jobs fails permanently or expires. Default: False.
        max_runs: Maximum number of jobs. Default: no limit.
        description: Shown to operators. At most 1,024 characters.
        etag: Etag of the schedule as read. If the schedule has changed since, the call fails. Default: no check.
    """

    job: JobOptions
    overlap_policy: OverlapWord
    catch_up_policy: CatchUpWord
    catch_up_window: Seconds
    pause_on_failure: bool
    max_runs: int
    description: str
    etag: str


_TIMES = frozenset(TimesOptions.__annotations__)
_OPTIONS = frozenset(ScheduleOptions.__annotations__)
_CALENDAR = frozenset(CalendarRule.DESCRIPTOR.fields_by_name)


def times_message(options: Mapping[str, Any]) -> ScheduleTimes:
    """Converts options to the message of `TimesOptions`.

    Raises:
        TypeError: There is no such option, or no such field of a calendar.
        ValueError: A time has no time zone.
    """
    refuse_unknown("a schedule's times", options, _TIMES)
    times = ScheduleTimes(crons=options.get("crons", ()), time_zone=options.get("time_zone", ""))
    times.intervals.extend(ScheduleInterval(every=to_duration(every)) for every in options.get("intervals", ()))
    times.calendars.extend(_calendar(rule) for rule in options.get("calendars", ()))
    times.exclusions.extend(_calendar(rule) for rule in options.get("exclusions", ()))
    for name in ("start_time", "end_time"):
        if name in options:
            getattr(times, name).CopyFrom(to_timestamp(options[name]))
    if "jitter" in options:
        times.jitter.CopyFrom(to_duration(options["jitter"]))
    return times


def schedule_message(
    namespace: str, name: str, definition: str, job_input: Any, options: Mapping[str, Any]
) -> Schedule:
    """Converts options to the message of `ScheduleOptions`.

    Raises:
        TypeError: The input has no JSON form, or there is no such option.
        ValueError: A time has no time zone, or a policy is unknown.
    """
    refuse_unknown("a schedule", options, _OPTIONS)
    times = times_message({key: value for key, value in options.items() if key in _TIMES})
    rest = {key: value for key, value in options.items() if key not in _TIMES}
    job = job_submission(definition, job_input, **rest.pop("job", {}))
    window = rest.pop("catch_up_window", None)
    overlap = rest.pop("overlap_policy", None)
    catch_up = rest.pop("catch_up_policy", None)
    schedule = Schedule(namespace=namespace, name=name, times=times, job=job, **rest)
    if window is not None:
        schedule.catch_up_window.CopyFrom(to_duration(window))
    if overlap is not None:
        schedule.overlap_policy = overlap_number(overlap)
    if catch_up is not None:
        schedule.catch_up_policy = CatchUpPolicy.Name(number_of(CatchUpPolicy, "CATCH_UP_POLICY_", catch_up))
    return schedule


def _calendar(rule: Mapping[str, str]) -> CalendarRule:
    refuse_unknown("a calendar", rule, _CALENDAR)
    return CalendarRule(**rule)


def overlap_number(word: str) -> Any:
    """Returns the number of an overlap policy.

    Raises:
        ValueError: The policy is unknown.
    """
    return number_of(OverlapPolicy, "OVERLAP_POLICY_", word)
