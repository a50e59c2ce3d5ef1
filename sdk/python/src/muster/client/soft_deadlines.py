"""Builds soft deadlines: strings stand for enums, seconds or timedeltas for durations."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from muster.client.words import number_of, to_timestamp
from muster.durations import Seconds, to_duration
from muster.v1.soft_deadline_pb2 import DeadlineReaction, SoftDeadline


def soft_deadline(
    *,
    after: Seconds | None = None,
    time: dt.datetime | None = None,
    reaction: Literal["NOTIFY", "RAISE_PRIORITY", "CANCEL"] | None = None,
    priority: int | None = None,
) -> SoftDeadline:
    """Sets a time by which a job should have ended. Give either `after` or `time`.

    Args:
        after: From when the job may run. At least 1 s, at most 10 years.
        time: The time itself, with its time zone. Of a submission only.
        reaction: What happens to a job that has not ended by then. None: NOTIFY, no more than an event and a metric.
        priority: The new priority, with RAISE_PRIORITY. From -100 to 100. None: 100.

    Raises:
        ValueError: Both `after` and `time` are given, `time` says nothing of its time zone, or the reaction is unknown.
    """
    if after is not None and time is not None:
        raise ValueError("give either after or time")
    deadline = SoftDeadline(priority=priority)
    if reaction is not None:
        deadline.reaction = number_of(DeadlineReaction, "DEADLINE_REACTION_", reaction)  # type: ignore[assignment]
    if after is not None:
        deadline.after.CopyFrom(to_duration(after))
    if time is not None:
        deadline.time.CopyFrom(to_timestamp(time))
    return deadline
