"""Delays after consecutive failures."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Doubles from `least` to `most` seconds; each delay is drawn from the upper half.

    Attributes:
        failures: Failures since the last success.
    """

    def __init__(self, least: float, most: float, random: Callable[[], float]) -> None:
        self._least = least
        self._most = most
        self._random = random
        self.failures = 0

    def fail(self) -> float:
        """Counts a failure and returns the seconds to wait before the next try."""
        ceiling = min(self._most, self._least * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return ceiling * (0.5 + 0.5 * self._random())

    def succeed(self) -> None:
        """Starts again from the shortest delay."""
        self.failures = 0
