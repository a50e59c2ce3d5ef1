"""Limits and retry policies written with strings, and values that are refused before a call."""

from __future__ import annotations

import datetime as dt

import pytest

from muster import (
    JobFilter,
    KeyLimit,
    RateLimit,
    job_submission,
    key_limit,
    rate_limit,
    retry_policy,
    retry_rule,
)

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)


def test_what_no_call_is_made_of() -> None:
    with pytest.raises(ValueError, match="either run_time or delay"):
        job_submission("d", run_time=NOON, delay=1)
    with pytest.raises(ValueError, match="time zone"):
        job_submission("d", run_time=dt.datetime(2026, 3, 1))  # noqa: DTZ001 - must be refused
    with pytest.raises(ValueError, match="FAIL, USE_EXISTING, REPLACE"):
        job_submission("d", idempotency_conflict_policy="NEVER")
    with pytest.raises(ValueError, match="NEVER"):
        JobFilter(states=["NEVER"]).fields()


def test_limits_in_words() -> None:
    assert key_limit(rate_limit=rate_limit(1)) == KeyLimit(rate_limit=RateLimit(units=1))
    with pytest.raises(ValueError, match="WAIT, REJECT_NEW, CANCEL_OLDEST, REPLACE_WAITING"):
        key_limit(policy="NEVER")


def test_retry_policies_in_words() -> None:
    policy = retry_policy(
        backoff="LIST",
        jitter="NONE",
        delays=[1, dt.timedelta(minutes=1)],
        max_backoff=5,
        rules=[retry_rule("IGNORE", types=["Busy"], causes=["TIMEOUT"], exit_codes=[3], delay=2)],
        limits={"timeout": 2},
        on_exhaustion="PAUSE",
    )
    assert policy.on_exhaustion == 2
    assert (policy.backoff, policy.jitter, policy.max_backoff.seconds, policy.limits.timeout) == (4, 2, 5, 2)
    assert [delay.seconds for delay in policy.delays] == [1, 60]
    (rule,) = policy.rules
    assert (rule.action, list(rule.types), list(rule.causes), list(rule.exit_codes)) == (3, ["Busy"], [2], [3])
    assert not policy.HasField("min_backoff")
    with pytest.raises(ValueError, match="none of RETRY, FAIL, IGNORE, PAUSE"):
        retry_rule("GIVE_UP")
    with pytest.raises(ValueError, match="none of FAIL, PAUSE"):
        retry_policy(on_exhaustion="STOP")  # type: ignore[arg-type]
