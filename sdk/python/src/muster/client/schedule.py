"""What a caller says about a schedule, as the message that the control plane takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

from muster.client.submission import JobOptions, job_submission
from muster.client.words import number_of, to_timestamp
from muster.durations import Seconds, to_duration
from muster.v1.schedule_pb2 import CalendarRule, CatchUpPolicy, OverlapPolicy, Schedule, ScheduleInterval, ScheduleTimes

OverlapWord: TypeAlias = Literal["SKIP", "BUFFER_ONE", "BUFFER_ALL", "CANCEL_OTHER", "TERMINATE_OTHER", "ALLOW_ALL"]
CatchUpWord: TypeAlias = Literal["LATEST", "ALL", "NONE"]


class TimesOptions(TypedDict, total=False):
    """When a schedule runs: at the times of all of these together, each once, less the exclusions.

    Attributes:
        crons: Cron expressions of five fields, such as "30 9 * * mon-fri". At most 32.
        intervals: Seconds or timedeltas from one time to the next, at least 1 s, counted from 1970 on. At most 32.
        calendars: Times of day on days that fit all of a rule: mappings with any of minute, hour, day_of_month, month,
            day_of_week and year, each written as in a cron expression. At most 32.
        exclusions: Times that are left out, as rules of the same form. At most 32.
        time_zone: Zone of the IANA database, such as "Europe/Vienna". Default: "UTC".
        start_time: The first time that counts. Default: from now on.
        end_time: Times before this one count. Default: for ever.
        jitter: Each job starts up to this much later than its time, by chance. Default: 0. At most a day.
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
    """What a schedule says; everything may be left out but some rule that says when. Times are seconds or timedeltas.

    Attributes:
        job: How each of its jobs is to be run, see `JobOptions`: without key, start, expiry and trace context.
        overlap_policy: What happens when a time comes while a job of an earlier one has not ended. Default: "SKIP".
        catch_up_policy: What happens to times that come while no replica is there. Default: "LATEST".
        catch_up_window: What was missed longer ago is skipped. Default: a day.
        pause_on_failure: Pauses the schedule when a job of it has failed for good or has expired. Default: no.
        max_runs: Jobs that its times may give. Default: any number.
        description: What it is for, for people. At most 1,024 characters.
        etag: Of the schedule as it was read: a change by somebody else since then is not overwritten.
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


def times_message(options: Mapping[str, Any]) -> ScheduleTimes:
    """Makes the message of options as `TimesOptions` has them.

    Raises:
        ValueError: A time says nothing of its time zone.
    """
    times = ScheduleTimes(crons=options.get("crons", ()), time_zone=options.get("time_zone", ""))
    times.intervals.extend(ScheduleInterval(every=to_duration(every)) for every in options.get("intervals", ()))
    times.calendars.extend(CalendarRule(**rule) for rule in options.get("calendars", ()))
    times.exclusions.extend(CalendarRule(**rule) for rule in options.get("exclusions", ()))
    for name in ("start_time", "end_time"):
        if name in options:
            getattr(times, name).CopyFrom(to_timestamp(options[name]))
    if "jitter" in options:
        times.jitter.CopyFrom(to_duration(options["jitter"]))
    return times


def schedule_message(
    namespace: str, name: str, definition: str, job_input: Any, options: Mapping[str, Any]
) -> Schedule:
    """Makes the message of options as `ScheduleOptions` has them.

    Raises:
        PayloadError: The input can't be written as JSON.
        ValueError: A time says nothing of its time zone, or a word is none of the contract's.
    """
    rest = {key: value for key, value in options.items() if key not in _TIMES}
    job = job_submission(definition, job_input, **rest.pop("job", {}))
    window = rest.pop("catch_up_window", None)
    overlap = rest.pop("overlap_policy", None)
    catch_up = rest.pop("catch_up_policy", None)
    schedule = Schedule(namespace=namespace, name=name, times=times_message(options), job=job, **rest)
    if window is not None:
        schedule.catch_up_window.CopyFrom(to_duration(window))
    if overlap is not None:
        schedule.overlap_policy = overlap_number(overlap)
    if catch_up is not None:
        schedule.catch_up_policy = CatchUpPolicy.Name(number_of(CatchUpPolicy, "CATCH_UP_POLICY_", catch_up))
    return schedule


def overlap_number(word: str) -> Any:
    """Returns the number of an overlap policy.

    Raises:
        ValueError: There is no such policy.
    """
    return number_of(OverlapPolicy, "OVERLAP_POLICY_", word)
