"""Constants of both sides of the dispatch model. Times are virtual, in seconds."""

from __future__ import annotations

LEASE, LIFE, BEAT, MARGIN = 15.0, 15.0, 5.0, 2.0
HEAL, END = 250.0, 420.0
JOBS, SLOTS, WORKERS = 12, 2, 3
REPORT_DEADLINE = 10.0
# A process that resumes from a pause needs a moment to check its clock.
WAKING = 0.4


class Violation(Exception):  # noqa: N818
    """An invariant is broken."""
