"""When calls are repeated that failed because of the world, not because of what they asked."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import grpc

from muster.errors import MusterError

_MOST_DOUBLINGS = 20
_LEAST_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRetry:
    """How transport failures are repeated; a call's own request id keeps a repeat from doing the work twice.

    Attributes:
        max_attempts: Calls in all, the first included.
        min_backoff: Upper bound of the first wait in seconds; it doubles each time and is drawn evenly from zero.
        max_backoff: Cap of every wait, in seconds.
    """

    max_attempts: int = 10
    min_backoff: float = 0.05
    max_backoff: float = 2.0

    def wait_after(self, error: MusterError, attempt: int, *, is_patient: bool = False) -> float | None:
        """Returns the seconds until the next try; None: there is to be none.

        Args:
            error: What the last try failed with.
            attempt: Tries so far.
            is_patient: Whether their number does not matter.
        """
        if attempt >= self.max_attempts and not is_patient:
            return None
        # A throttle's refusal is what the definition asks for.
        is_overloaded = (
            error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
            and error.retry_after is not None
            and error.reason != "THROTTLED"
        )
        if error.code is not grpc.StatusCode.UNAVAILABLE and not is_overloaded:
            return None
        return (error.retry_after or 0.0) + self.backoff(attempt)

    def backoff(self, attempt: int) -> float:
        """Returns a wait after so many tries."""
        cap = min(self.max_backoff, self.min_backoff * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS))
        return random.random() * cap  # noqa: S311 - jitter, no secret


class Tries:
    """The tries of one call and the time that is left for them."""

    def __init__(self, retry: TransportRetry, timeout: float, *, is_patient: bool = False) -> None:
        self._retry = retry
        self._end = time.monotonic() + timeout
        self._is_patient = is_patient
        self._count = 0

    def begin(self) -> float:
        """Begins a try and returns the seconds that it may take."""
        self._count += 1
        return max(_LEAST_SECONDS, self._end - time.monotonic())

    def wait_after(self, error: MusterError) -> float:
        """Returns the seconds until the next try.

        Raises:
            MusterError: The same, if there is to be none.
        """
        wait = self._retry.wait_after(error, self._count, is_patient=self._is_patient)
        if wait is None or time.monotonic() + wait >= self._end:
            raise error
        return wait
