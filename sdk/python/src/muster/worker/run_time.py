"""Maximum run time of handlers."""

from __future__ import annotations

from muster.durations import to_seconds
from muster.worker.v1.assignment_pb2 import Assignment

DEFAULT_RUN_TIMEOUT_SECONDS = 3_600.0
# All extensions included.
MAX_RUN_SECONDS = 30 * 86_400.0


def run_timeout_of(assignment: Assignment) -> float:
    """Returns the run timeout of an attempt in seconds."""
    return to_seconds(assignment.run_timeout) if assignment.HasField("run_timeout") else DEFAULT_RUN_TIMEOUT_SECONDS
