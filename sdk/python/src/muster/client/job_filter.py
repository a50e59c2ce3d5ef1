"""Filters of jobs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.client.job_ref import state_number
from muster.client.words import to_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Jobs match when all given conditions hold. A filter without conditions matches every job of the namespace.

    Attributes:
        states: Only jobs in these states, such as "FAILED".
        definition: Only jobs of this definition.
        queue: Only jobs of this queue.
        labels: Only jobs that carry all of these labels.
        min_create_time: Only jobs made at or after this time.
        max_create_time: Only jobs made before this time.
        failure_types: Only jobs whose failure has one of these types. At most 64.
        parent_job_id: Only jobs of the steps of this workflow, or members of this batch.
        soft_deadline_missed: Only jobs that have missed their soft deadline.
    """

    states: Sequence[str | int] = ()
    definition: str = ""
    queue: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    min_create_time: dt.datetime | None = None
    max_create_time: dt.datetime | None = None
    failure_types: Sequence[str] = ()
    parent_job_id: str = ""
    soft_deadline_missed: bool = False

    def fields(self) -> dict[str, Any]:
        """Returns the fields of the messages that take a filter.

        Raises:
            ValueError: A state is unknown, or a time has no time zone.
        """
        times = {"min_create_time": self.min_create_time, "max_create_time": self.max_create_time}
        return {
            "states": [state_number(state) for state in self.states],
            "definition": self.definition,
            "queue": self.queue,
            "labels": dict(self.labels),
            "failure_types": list(self.failure_types),
            "parent_job_id": self.parent_job_id,
            "soft_deadline_missed": self.soft_deadline_missed,
            **{name: to_timestamp(moment) for name, moment in times.items() if moment is not None},
        }
