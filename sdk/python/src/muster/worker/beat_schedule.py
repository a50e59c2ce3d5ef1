"""Schedules heartbeats. A slow answer never delays the next one."""

from __future__ import annotations

from collections.abc import Callable

from muster.worker.backoff import Backoff

# The control plane refuses more than 20 heartbeats per second.
MIN_GAP_SECONDS = 0.06
# Maximum number of unanswered heartbeats.
MAX_IN_FLIGHT = 4
# A log record waits this long for further records.
LOG_DELAY_SECONDS = 0.01
# A beat with log records comes no sooner after the last beat than LOG_GAP_SECONDS, and no sooner than
# LOG_GAP_ROUND_TRIPS times its round trip: so log records take a bounded share of a busy control plane's time. They
# wait no longer than MAX_LOG_GAP_SECONDS.
LOG_GAP_SECONDS = 0.2
LOG_GAP_ROUND_TRIPS = 10
MAX_LOG_GAP_SECONDS = 1.0
_FIRST_RETRY_SECONDS = 0.2
_LEASE_SHARE_OF_DEADLINE = 0.2
_LEASE_SHARE_OF_RETRY = 0.1
_MIN_DEADLINE_SECONDS = 0.5


class BeatSchedule:
    """Beats once per interval, sooner on request, later after failures; no beat waits for an earlier answer.

    Attributes:
        due: Time of the next beat on the worker's monotonic clock. The first one is due at once.
        deadline: Timeout of a heartbeat in seconds, short enough for several tries within a lease.
    """

    def __init__(self, now: float, beat_interval: float, lease: float, random: Callable[[], float]) -> None:
        self._interval = beat_interval
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, max(_FIRST_RETRY_SECONDS, lease * _LEASE_SHARE_OF_RETRY), random)
        self._last_sent = float("-inf")
        # After a failure, no request causes a beat before this time; only the regular interval does.
        self._not_before = float("-inf")
        self._round_trip = 0.0
        self._in_flight = 0
        self.due = now
        self.deadline = max(_MIN_DEADLINE_SECONDS, min(beat_interval, lease * _LEASE_SHARE_OF_DEADLINE))

    @property
    def is_full(self) -> bool:
        """Whether the number of unanswered beats has reached its maximum."""
        return self._in_flight >= MAX_IN_FLIGHT

    def is_due(self, now: float) -> bool:
        """Whether to send a beat now."""
        return now >= self.due and not self.is_full

    def want(self, by: float = float("-inf")) -> None:
        """Requests a beat by a time, or as soon as possible, but not within the delay after a failure."""
        self.due = min(self.due, max(by, self._last_sent + MIN_GAP_SECONDS, self._not_before))

    def want_for_logs(self, now: float) -> None:
        """Requests a beat that carries log records."""
        gap = min(MAX_LOG_GAP_SECONDS, max(LOG_GAP_SECONDS, LOG_GAP_ROUND_TRIPS * self._round_trip))
        self.want(max(now + LOG_DELAY_SECONDS, self._last_sent + gap))

    def sent(self, now: float) -> None:
        """Notes that a beat was sent."""
        self._last_sent = now
        self._in_flight += 1
        self.due = now + self._interval

    def answered(self, sent_at: float, now: float, next_beat: float | None) -> None:
        """Notes the answer to the beat sent at `sent_at`; the next is requested in `next_beat` seconds, if set."""
        self._in_flight -= 1
        self._round_trip = now - sent_at
        self._backoff.succeed()
        self._not_before = float("-inf")
        self.due = min(self.due, self._last_sent + self._interval)
        if next_beat is not None:
            self.due = min(self.due, max(now + next_beat, self._last_sent + MIN_GAP_SECONDS))

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """Notes a failed beat; `retry_after` is the minimum delay in seconds. The delay is at most one interval."""
        self._in_flight -= 1
        wait = self._backoff.fail() + (retry_after or 0.0)
        self._not_before = max(self._not_before, now + min(wait, self._interval))
        # Beats requested earlier are delayed, too. The regular beat is not, because beats keep the lease.
        self.due = min(self._not_before, self._last_sent + self._interval)
