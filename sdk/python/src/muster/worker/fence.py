"""The moment after which a session can't prove its lease."""

from __future__ import annotations

MARGIN_SECONDS = 2.0
# Leases shorter than the usual 15 s keep the same share of themselves as the margin.
_MARGIN_SHARE = MARGIN_SECONDS / 15.0


class Fence:
    """Moves with each good heartbeat, counted from the moment that heartbeat was *sent*.

    Attributes:
        at: The moment, in seconds of the worker's monotonic clock.
    """

    def __init__(self, lease: float, sent_at: float) -> None:
        self._span = lease - min(MARGIN_SECONDS, lease * _MARGIN_SHARE)
        self.at = sent_at + self._span

    def extend(self, sent_at: float) -> None:
        """Takes note of a good heartbeat; a late answer never moves the fence back."""
        self.at = max(self.at, sent_at + self._span)

    def is_passed(self, now: float) -> bool:
        """Whether the lease can no longer be proved."""
        return now >= self.at
