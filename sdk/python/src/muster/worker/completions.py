"""Measures the rate at which attempts end. It determines how many may wait for a slot."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 0.2
_MAX_TIMES = 10_000
_SMOOTHING = 0.1


class Completions:
    """Counts the completions of the last 200 ms, and tracks the mean run time of handlers."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MAX_TIMES)
        self._mean_seconds: float | None = None

    def note(self, now: float, started_at: float) -> None:
        """Notes that a handler has returned."""
        self._times.append(now)
        taken = now - started_at
        self._mean_seconds = (
            taken if self._mean_seconds is None else self._mean_seconds + _SMOOTHING * (taken - self._mean_seconds)
        )

    def prefetch_depth(self, now: float, slots: int) -> int:
        """Returns how many attempts may wait for one of the `slots`.

        It is the number of completions in the last 200 ms, but at most the number that the slots complete in that time
        at the mean run time. Without this bound, several slow handlers that end together would prefetch attempts that
        could only wait and be released again.
        """
        while self._times and self._times[0] <= now - WINDOW_SECONDS:
            self._times.popleft()
        if not self._times or self._mean_seconds is None:
            return 0
        if self._mean_seconds * len(self._times) <= slots * WINDOW_SECONDS:
            return len(self._times)
        return int(slots * WINDOW_SECONDS / self._mean_seconds)
