"""The demo's Python worker: counts how late flights were. Usage: delay_stats.py ADDRESS."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from typing import Any

from muster import JobContext, Worker

worker = Worker(sys.argv[1], name="delay-stats", slots=4)


@worker.handler("count-delays")
def count_delays(ctx: JobContext, chunk: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - not needed
    """Counts the flights of a chunk by delay, for each hour of departure and for each distance band.

    Counts add up exactly, in any order and however often a chunk is tried. So the table is the same whatever is killed
    meanwhile.

    Args:
        ctx: The job: its id, its attempt, whether it was cancelled, its progress.
        chunk: `flights`, a list of [delay in minutes, distance in miles, hour of departure as a decimal number], and
            `band_starts`, the distances at which a new band begins, ascending.

    Returns:
        `hours` and `bands`: the number of flights by group, then by delay in minutes.
    """
    hours: defaultdict[int, Counter[int]] = defaultdict(Counter)
    bands: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for delay, distance, time in chunk["flights"]:
        hours[int(time)][delay] += 1
        bands[bisect_right(chunk["band_starts"], distance)][delay] += 1
    return {"hours": hours, "bands": bands}


worker.run()  # until SIGINT or SIGTERM
