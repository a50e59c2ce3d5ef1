"""Remembers attempts that have arrived, as long as the credit that they spent lives."""

from __future__ import annotations

from muster.worker.attempt_key import AttemptKey


class SeenAttempts:
    """A bounded memory to recognize duplicates: no entry outlives a credit."""

    def __init__(self) -> None:
        self._ends: dict[AttemptKey, float] = {}
        self._by_second: dict[int, list[AttemptKey]] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def remember(self, key: AttemptKey, end: float) -> None:
        """Remembers an attempt until `end`, or longer if it was already remembered for longer."""
        if end <= self._ends.get(key, float("-inf")):
            return
        self._ends[key] = end
        self._by_second.setdefault(int(end), []).append(key)

    def has(self, now: float, key: AttemptKey) -> bool:
        """Whether the attempt was seen and is still remembered."""
        end = self._ends.get(key)
        return end is not None and now < end

    def purge(self, now: float) -> None:
        """Drops expired entries, at a cost proportional to their number."""
        for second in [second for second in self._by_second if second < int(now)]:
            for key in self._by_second.pop(second):
                if self._ends.get(key, now) < now:
                    del self._ends[key]
