"""Limits and retry policies written with strings, and values that are refused before a call."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest

from muster import (
    Client,
    JobFilter,
    KeyLimit,
    RateLimit,
    job_submission,
    key_limit,
    rate_limit,
    retry_policy,
    retry_rule,
    when_signal,
)
from muster.client.definition import definition_message
from muster.client.schedule import schedule_message, times_message
from muster.client.trigger import trigger_message

ANY_SIGNAL = when_signal("paid")
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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: job_submission("d", prio=1), "unknown option 'prio' of a job: did you mean 'priority'?"),
        (lambda: definition_message("d", "", {"timeout": 1}), "unknown option 'timeout' of a definition: did you mean"),
        (
            lambda: definition_message("d", "", {"xyz": 1}),
            "option 'xyz' of a definition: there are cancel_grace, cleanup_after, ",
        ),
        (
            lambda: definition_message("d", "", {"wait": 1}),
            "'wait' of a definition: set it with definition=JobDefinition(wait=...)",
        ),
        (
            lambda: schedule_message("", "s", "d", None, {"cron": "* * * * *"}),
            "unknown option 'cron' of a schedule: did",
        ),
        (lambda: schedule_message("", "s", "d", None, {"job": {"labls": {}}}), "unknown option 'labls' of a job: did"),
        (lambda: times_message({"interval": [60]}), "'interval' of a schedule's times: did you mean 'intervals'?"),
        (
            lambda: times_message({"calendars": [{"hours": "9"}]}),
            "unknown option 'hours' of a calendar: did you mean 'hour'",
        ),
        (
            lambda: times_message({"exclusions": [{"week": "9"}]}),
            "unknown option 'week' of a calendar: there are day_of_month, ",
        ),
        (
            lambda: trigger_message("", "t", "d", ANY_SIGNAL, {"expires": 1}),
            "unknown option 'expires' of a trigger: did",
        ),
        (
            lambda: trigger_message("", "t", "d", ANY_SIGNAL, {"paused": True}),
            "unknown option 'paused' of a trigger: there are",
        ),
        (
            lambda: retry_policy(limits={"timeouts": 1}),
            "'timeouts' of a retry policy's limits: did you mean 'timeout'?",
        ),
    ],
)
def test_unknown_options_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        make()


def test_an_unknown_option_of_a_preview_is_refused() -> None:
    with Client() as client, pytest.raises(TypeError, match="did you mean 'crons'"):
        client.preview_schedule(cron="* * * * *")  # type: ignore[call-arg]


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
