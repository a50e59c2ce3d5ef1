"""Outcomes of jobs on the in-memory control plane, which assigns no attempt twice.

If an attempt is released without a start, as may happen on a busy machine, another job is submitted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from muster.worker.v1.attempt_report_pb2 import AttemptReport
from tests.support.control_plane import ControlPlane, Key
from tests.support.facts import eventually

FactT = TypeVar("FactT")

_SECONDS = 60.0
_MAX_JOBS = 50


def outcome(control_plane: ControlPlane, key: Key) -> AttemptReport:
    """Waits for the report of an attempt."""
    return eventually(lambda: control_plane.outcomes.get(key), "the attempt is reported", _SECONDS)


def run(control_plane: ControlPlane, handler: str, value: Any = None) -> AttemptReport:
    """Runs a job and waits for its report."""
    for _ in range(_MAX_JOBS):
        report = outcome(control_plane, control_plane.submit(handler, value))
        if not report.HasField("released"):
            return report
    raise AssertionError(f"each of {_MAX_JOBS} attempts was given back: {report}")


def begin(
    control_plane: ControlPlane, handler: str, value: Any, fact: Callable[[], FactT], **fields: Any
) -> tuple[Key, FactT]:
    """Starts a job and waits for a condition that shows that its handler runs."""
    for _ in range(_MAX_JOBS):
        key = control_plane.submit(handler, value, **fields)
        eventually(lambda key=key: fact() or key in control_plane.outcomes, "the handler has begun", _SECONDS)
        found = fact()
        if found:
            return key, found
    raise AssertionError(f"none of {_MAX_JOBS} attempts has begun: {control_plane.outcomes[key]}")
