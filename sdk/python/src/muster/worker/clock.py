"""The monotonic clock for leases, credits and deadlines."""

from __future__ import annotations

import time


def _suspend_aware() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


# Prefers a clock that also counts suspended time: a lease that expired during a suspension is noticed on waking.
monotonic_seconds = _suspend_aware if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
