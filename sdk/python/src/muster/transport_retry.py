"""Retries of calls that failed for transport reasons or overload."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import grpc

from muster.errors import MusterError

_MAX_DOUBLINGS = 20
_MIN_SECONDS = 0.001
# With several replicas, a try gets this part of the time, and at least so many seconds.
_TRY_SHARE = 1 / 3
_MIN_TRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRetry:
    """How transport failures are retried. The request id of the call makes the retries idempotent.

    Attributes:
        max_attempts: Maximum number of tries, the first included.
        min_backoff: Upper bound of the first wait in seconds; it doubles each time. Waits are drawn uniformly from
        zero.
        max_backoff: Maximum wait in seconds.
    """

    max_attempts: int = 10
    min_backoff: float = 0.05
    max_backoff: float = 2.0

    def wait_after(self, error: MusterError, attempt: int, *, is_patient: bool = False) -> float | None:
        """Returns the seconds until the next try; None: the error is not retryable, or no tries are left.

        Args:
            error: The error of the last try.
            attempt: Number of tries so far.
            is_patient: Whether the number of tries is unlimited.
        """
        if attempt >= self.max_attempts and not is_patient:
            return None
        # A throttle refuses by design of the definition, so a retry would defeat it.
        is_overloaded = (
            error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
            and error.retry_after is not None
            and error.reason != "THROTTLED"
        )
        if error.code is not grpc.StatusCode.UNAVAILABLE and not is_overloaded:
            return None
        return (error.retry_after or 0.0) + self.backoff(attempt)

    def backoff(self, attempt: int) -> float:
        """Returns the random wait after this number of tries."""
        cap = min(self.max_backoff, self.min_backoff * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS))
        return random.random() * cap  # noqa: S311 - jitter, no secret


class Tries:
    """The tries of one call and their remaining time.

    Args:
        retry: How transport failures are retried.
        timeout: Seconds for all tries together.
        is_patient: Whether the number of tries is unlimited.
        is_shared: Whether there are several replicas, so that one that does not answer costs a share of the time.
    """

    def __init__(
        self, retry: TransportRetry, timeout: float, *, is_patient: bool = False, is_shared: bool = False
    ) -> None:
        self._retry = retry
        self._end = time.monotonic() + timeout
        self._share = max(_MIN_TRY_SECONDS, timeout * _TRY_SHARE) if is_shared else timeout
        self._is_patient = is_patient
        self._is_last = True
        self._count = 0

    def begin(self) -> float:
        """Begins a try and returns its maximum duration in seconds."""
        self._count += 1
        left = max(_MIN_SECONDS, self._end - time.monotonic())
        self._is_last = left < self._share + _MIN_TRY_SECONDS or self._count >= self._retry.max_attempts
        return left if self._is_last else self._share

    def wait_after(self, error: MusterError) -> float:
        """Returns the seconds until the next try.

        Raises:
            MusterError: The same error, if it is not retryable or no time is left.
        """
        if error.code is grpc.StatusCode.DEADLINE_EXCEEDED and not self._is_last:
            return 0.0
        wait = self._retry.wait_after(error, self._count, is_patient=self._is_patient)
        if wait is None or time.monotonic() + wait >= self._end:
            raise error
        return wait
