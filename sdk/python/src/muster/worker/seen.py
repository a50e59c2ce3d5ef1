"""Remembers attempts that have arrived, until the credit that they spent is over."""

from __future__ import annotations

from muster.worker.attempt_key import AttemptKey


class SeenAttempts:
    """A bounded memory against duplicates: nothing in it outlives a credit."""

    def __init__(self) -> None:
        self._ends: dict[AttemptKey, float] = {}
        self._by_second: dict[int, list[AttemptKey]] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def remember(self, key: AttemptKey, end: float) -> None:
        """Remembers an attempt until `end`, or for as long as it was remembered already if that is longer."""
        if end <= self._ends.get(key, float("-inf")):
            return
        self._ends[key] = end
        self._by_second.setdefault(int(end), []).append(key)

    def has(self, now: float, key: AttemptKey) -> bool:
        """Whether the attempt has been seen and is still remembered."""
        end = self._ends.get(key)
        return end is not None and now < end

    def purge(self, now: float) -> None:
        """Forgets what is over; costs as much as there is to forget."""
        for second in [second for second in self._by_second if second < int(now)]:
            for key in self._by_second.pop(second):
                if self._ends.get(key, now) < now:
                    del self._ends[key]
