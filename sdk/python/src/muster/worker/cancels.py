"""Cancels that overtook their assignments."""

from __future__ import annotations

from muster.worker.attempt_key import AttemptKey

LIFE_SECONDS = 15.0
_MAX_NOTICES = 10_000


class RememberedCancels:
    """Remembers cancels of unseen attempts, each for 15 s after its last notice, at most 10,000."""

    def __init__(self) -> None:
        self._notices: dict[AttemptKey, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._notices)

    def remember(self, now: float, key: AttemptKey) -> float:
        """Remembers a cancel and returns the time of its first notice."""
        self.purge(now)
        first, _ = self._notices.pop(key, (now, now))
        self._notices[key] = (first, now + LIFE_SECONDS)
        if len(self._notices) > _MAX_NOTICES:
            del self._notices[next(iter(self._notices))]
        return first

    def has(self, now: float, key: AttemptKey) -> bool:
        """Whether a cancel of the attempt is remembered."""
        notice = self._notices.get(key)
        return notice is not None and now < notice[1]

    def forget(self, key: AttemptKey) -> None:
        """Drops the cancel of an attempt that has been released."""
        self._notices.pop(key, None)

    def purge(self, now: float) -> None:
        """Drops expired entries; they are ordered by expiry."""
        while self._notices:
            key, (_, end) = next(iter(self._notices.items()))
            if now < end:
                return
            del self._notices[key]
