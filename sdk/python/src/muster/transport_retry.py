"""Repeats calls that failed because of the world, not because of what they asked."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import grpc

from muster.errors import MusterError, error_from

MOST_ATTEMPTS = 10
_LEAST_BACKOFF_SECONDS = 0.05
_MOST_BACKOFF_SECONDS = 2.0


def call_with_retry(
    method: Callable[..., Any], request: Any, timeout: float, most_attempts: float = MOST_ATTEMPTS
) -> Any:
    """Calls until it succeeds, fails for good, or the time is up.

    Args:
        method: A method of a stub.
        request: Carries a request id where a repeat would do harm otherwise.
        timeout: Seconds for all tries together.
        most_attempts: Tries in all.

    Raises:
        MusterError: Of the last try.
    """
    end = time.monotonic() + timeout
    attempt = 0
    while True:
        attempt += 1
        try:
            return method(request, timeout=max(0.001, end - time.monotonic()))
        except grpc.RpcError as raw:
            error = error_from(raw)
            wait = _backoff(error, attempt)
            if wait is None or attempt >= most_attempts or time.monotonic() + wait >= end:
                raise error from raw
            time.sleep(wait)


def _backoff(error: MusterError, attempt: int) -> float | None:
    """Returns the seconds until the next try; None: there is to be none."""
    is_overloaded = error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_after is not None
    if error.code is not grpc.StatusCode.UNAVAILABLE and not is_overloaded:
        return None
    cap = min(_MOST_BACKOFF_SECONDS, _LEAST_BACKOFF_SECONDS * 2.0 ** min(attempt - 1, 20))
    return (error.retry_after or 0.0) + random.random() * cap  # noqa: S311 - jitter, no secret
