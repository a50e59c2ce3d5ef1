"""Measures how fast attempts end, which says how many more may wait for a slot."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 0.2
_MOST = 10_000
_SMOOTHING = 0.1


class Completions:
    """Counts the completions of the last 200 ms and follows the mean time a handler takes."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MOST)
        self._mean_seconds: float | None = None

    def note(self, now: float, started_at: float) -> None:
        """Takes note of a handler that has returned."""
        self._times.append(now)
        taken = now - started_at
        self._mean_seconds = (
            taken if self._mean_seconds is None else self._mean_seconds + _SMOOTHING * (taken - self._mean_seconds)
        )

    def prefetch_depth(self, now: float, slots: int) -> int:
        """Returns how many attempts may wait for one of the `slots`.

        It is the completions of the last 200 ms, but never more than the slots complete in that time at their mean
        pace: after a few slow handlers have ended together, what was prefetched on that account would only sit and be
        given back.
        """
        while self._times and self._times[0] <= now - WINDOW_SECONDS:
            self._times.popleft()
        if not self._times or self._mean_seconds is None:
            return 0
        if self._mean_seconds * len(self._times) <= slots * WINDOW_SECONDS:
            return len(self._times)
        return int(slots * WINDOW_SECONDS / self._mean_seconds)
