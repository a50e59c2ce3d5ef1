"""When the next heartbeat is due."""

from __future__ import annotations

from collections.abc import Callable

from muster.worker.backoff import Backoff

# The control plane takes at most 20 beats a second.
LEAST_GAP_SECONDS = 0.06
# Without an answer yet.
MOST_IN_FLIGHT = 4
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
    """A beat every interval, sooner when asked, later after failures; none waits for the answer to the one before.

    Attributes:
        due: The moment of the next beat, by the worker's monotonic clock. The first one is due at once.
        deadline: Seconds that a beat may take, short enough for several tries within a lease.
    """

    def __init__(self, now: float, beat_interval: float, lease: float, random: Callable[[], float]) -> None:
        self._interval = beat_interval
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, max(_FIRST_RETRY_SECONDS, lease * _LEASE_SHARE_OF_RETRY), random)
        self._last_sent = float("-inf")
        # After a failure nothing but the interval itself brings a beat sooner.
        self._not_before = float("-inf")
        self._round_trip = 0.0
        self._in_flight = 0
        self.due = now
        self.deadline = max(_LEAST_DEADLINE_SECONDS, min(beat_interval, lease * _LEASE_SHARE_OF_DEADLINE))

    @property
    def is_full(self) -> bool:
        """Whether so many beats are unanswered that the next one has to wait."""
        return self._in_flight >= MOST_IN_FLIGHT

    def is_due(self, now: float) -> bool:
        """Whether to send a beat now."""
        return now >= self.due and not self.is_full

    def want(self, by: float = float("-inf")) -> None:
        """Asks for a beat by a moment, or as soon as may be: not within the wait after a failure."""
        self.due = min(self.due, max(by, self._last_sent + LEAST_GAP_SECONDS, self._not_before))

    def want_for_logs(self, now: float) -> None:
        """Asks for a beat that brings log records."""
        gap = min(MOST_LOG_GAP_SECONDS, max(LOG_GAP_SECONDS, LOG_GAP_ROUND_TRIPS * self._round_trip))
        self.want(max(now + LOG_DELAY_SECONDS, self._last_sent + gap))

    def sent(self, now: float) -> None:
        """Takes note that a beat is on its way."""
        self._last_sent = now
        self._in_flight += 1
        self.due = now + self._interval

    def answered(self, sent_at: float, now: float, next_beat: float | None) -> None:
        """Takes note of a good answer to the beat of a moment, which may name the seconds to the next beat."""
        self._in_flight -= 1
        self._round_trip = now - sent_at
        self._backoff.succeed()
        self._not_before = float("-inf")
        self.due = min(self.due, self._last_sent + self._interval)
        if next_beat is not None:
            self.due = min(self.due, max(now + next_beat, self._last_sent + LEAST_GAP_SECONDS))

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """Takes note of a failure; the answer may name the seconds to wait at least, an interval at most."""
        self._in_flight -= 1
        wait = self._backoff.fail() + (retry_after or 0.0)
        self._not_before = max(self._not_before, now + min(wait, self._interval))
        # What was wanted before waits, too; the next of the interval does not, since beats keep the lease.
        self.due = min(self._not_before, self._last_sent + self._interval)
