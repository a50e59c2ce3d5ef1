"""Limits as callers write them: words for enums, seconds or timedeltas for durations."""

from __future__ import annotations

from typing import Literal

from muster.client.words import number_of
from muster.durations import Seconds, to_duration
from muster.v1.limit_pb2 import KeyLimit, LimitPolicy, RateLimit


def rate_limit(units: int, *, period: Seconds | None = None, burst: int = 0) -> RateLimit:
    """Says how many attempts may be assigned in a time: in any stretch t at most `burst + units * t / period`.

    Args:
        units: Units that come back in each period. From 1 to 1,000,000.
        period: None: 1 s. At most 30 days.
        burst: Units that may be taken at once when none were taken for long. 0: as many as `units`. At most 1,000,000.
    """
    limit = RateLimit(units=units, burst=burst)
    if period is not None:
        limit.period.CopyFrom(to_duration(period))
    return limit


def key_limit(
    key: str = "",
    *,
    max_concurrency: int = 0,
    policy: Literal["WAIT", "REJECT_NEW", "CANCEL_OLDEST", "REPLACE_WAITING"] | None = None,
    rate_limit: RateLimit | None = None,
) -> KeyLimit:
    """Sets limits for each value of a key. One of `max_concurrency` and `rate_limit` has to be there.

    Args:
        key: A CEL expression over `input` and `labels`, such as "input.tenant". At most 1,024 characters. Empty: all
            jobs of the definition have one key.
        max_concurrency: Jobs of a key that workers may hold at once. 0: no limit. At most 100,000.
        policy: What becomes of a new job at `max_concurrency`. None: WAIT.
        rate_limit: Attempts of a key that may be assigned in a time, see `muster.rate_limit`. None: no limit.

    Raises:
        ValueError: There is no such policy.
    """
    return KeyLimit(
        key=key,
        max_concurrency=max_concurrency,
        policy=None if policy is None else number_of(LimitPolicy, "LIMIT_POLICY_", policy),  # type: ignore[arg-type]
        rate_limit=rate_limit,
    )
