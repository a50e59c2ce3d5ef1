"""The monotonic clock that leases, credits and deadlines are measured by."""

from __future__ import annotations

import time


def _suspend_aware() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


# Where the system has a clock that also counts the time it sleeps, a lease that ended in a nap is seen on waking.
monotonic_seconds = _suspend_aware if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
