"""Builds limits: strings stand for enums, seconds or timedeltas for durations."""

from __future__ import annotations

from typing import Literal

from muster.client.words import number_of
from muster.durations import Seconds, to_duration
from muster.v1.limit_pb2 import KeyLimit, LimitPolicy, RateLimit


def rate_limit(units: int, *, period: Seconds | None = None, burst: int = 0) -> RateLimit:
    """Bounds the rate of assignments: in any interval of length t at most `burst + units * t / period` attempts start.

    Args:
        units: Units per period. From 1 to 1,000,000.
        period: Length of the period. None: 1 s. At most 30 days.
        burst: Units that may be used at once after an idle time. 0: `units`. At most 1,000,000.
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
    """Sets limits for each value of a key. At least one of `max_concurrency` and `rate_limit` is required.

    Args:
        key: A CEL expression over `input` and `labels`, such as "input.tenant". At most 1,024 characters. Empty: all
            jobs of the definition share one key.
        max_concurrency: Jobs of a key that workers may hold at once. 0: no limit. At most 100,000.
        policy: What happens to a new job when `max_concurrency` is reached. None: WAIT.
        rate_limit: Attempts of a key that may be assigned per period, see `muster.rate_limit`. None: no limit.

    Raises:
        ValueError: The policy is unknown.
    """
    return KeyLimit(
        key=key,
        max_concurrency=max_concurrency,
        policy=None if policy is None else number_of(LimitPolicy, "LIMIT_POLICY_", policy),  # type: ignore[arg-type]
        rate_limit=rate_limit,
    )
