"""When the next heartbeat is due."""

from __future__ import annotations

from collections.abc import Callable

from muster.worker.backoff import Backoff

# The control plane takes at most 20 beats a second.
LEAST_GAP_SECONDS = 0.06
# A log record waits so long for others to come along.
LOG_DELAY_SECONDS = 0.01
# It goes no sooner after the last beat than the first of these, or than so many times as long as that took to be
# answered: so records cost a busy control plane a bounded share of its time. The third is the longest that they wait.
LOG_GAP_SECONDS = 0.2
LOG_GAP_ROUND_TRIPS = 10
MOST_LOG_GAP_SECONDS = 1.0
_FIRST_RETRY_SECONDS = 0.2
_LEASE_SHARE_OF_DEADLINE = 0.2
_LEASE_SHARE_OF_RETRY = 0.1
_LEAST_DEADLINE_SECONDS = 0.5


class BeatSchedule:
    """One beat at a time: every interval, sooner when asked, later again after failures.

    Attributes:
        due: The moment of the next beat, by the worker's monotonic clock. The first one is due at once.
        deadline: Seconds that a beat may take, short enough for several tries within a lease.
    """

    def __init__(self, now: float, beat_interval: float, lease: float, random: Callable[[], float]) -> None:
        self._interval = beat_interval
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, max(_FIRST_RETRY_SECONDS, lease * _LEASE_SHARE_OF_RETRY), random)
        self._last_sent = float("-inf")
        self._round_trip = 0.0
        self._is_in_flight = False
        self._wanted_by = float("inf")
        self.due = now
        self.deadline = max(_LEAST_DEADLINE_SECONDS, min(beat_interval, lease * _LEASE_SHARE_OF_DEADLINE))

    def is_due(self, now: float) -> bool:
        """Whether to send a beat now."""
        return not self._is_in_flight and now >= self.due

    def want(self, by: float = float("-inf")) -> None:
        """Asks for a beat by a moment, or as soon as may be; one that is in flight does not count."""
        if self._is_in_flight:
            self._wanted_by = min(self._wanted_by, by)
        elif self._backoff.failures == 0:
            self.due = min(self.due, max(by, self._last_sent + LEAST_GAP_SECONDS))

    def want_for_logs(self, now: float) -> None:
        """Asks for a beat that brings log records."""
        gap = min(MOST_LOG_GAP_SECONDS, max(LOG_GAP_SECONDS, LOG_GAP_ROUND_TRIPS * self._round_trip))
        self.want(max(now + LOG_DELAY_SECONDS, self._last_sent + gap))

    def sent(self, now: float) -> None:
        """Takes note that a beat is on its way."""
        self._last_sent = now
        self._is_in_flight = True
        self._wanted_by = float("inf")

    def answered(self, now: float, next_beat: float | None) -> None:
        """Takes note of a good answer, which may name the seconds to the next beat."""
        self._is_in_flight = False
        self._round_trip = now - self._last_sent
        self._backoff.succeed()
        usual = self._last_sent + self._interval
        named = usual if next_beat is None else now + min(next_beat, self._interval)
        self.due = max(named, self._last_sent + LEAST_GAP_SECONDS)
        self.want(self._wanted_by)

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """Takes note of a failure; the answer may name the seconds to wait."""
        self._is_in_flight = False
        wait = self._backoff.fail()
        self.due = now + (wait if retry_after is None else min(max(wait, retry_after), self._interval))
