"""Builds retry policies: strings stand for enums, seconds or timedeltas for durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from muster.client.options import refuse_unknown
from muster.client.words import number_of
from muster.durations import Seconds, to_duration
from muster.v1 import retry_policy_pb2 as messages
from muster.v1.retry_policy_pb2 import CauseLimits, RetryPolicy, RetryRule

Cause: TypeAlias = Literal["APPLICATION", "TIMEOUT", "LOST_WORKER", "INFRASTRUCTURE"]


def retry_policy(
    *,
    max_attempts: int = 0,
    backoff: Literal["EXPONENTIAL", "LINEAR", "CONSTANT", "LIST"] | None = None,
    jitter: Literal["FULL", "NONE"] | None = None,
    min_backoff: Seconds | None = None,
    max_backoff: Seconds | None = None,
    multiplier: float = 0.0,
    delays: Sequence[Seconds] = (),
    max_retry_duration: Seconds | None = None,
    non_retryable_types: Sequence[str] = (),
    rules: Sequence[RetryRule] = (),
    limits: Mapping[str, int] | None = None,
    on_exhaustion: Literal["FAIL", "PAUSE"] | None = None,
) -> RetryPolicy:
    """Sets when and how often failed attempts are retried.

    Args:
        max_attempts: Maximum number of counted attempts, the first included. 0: 3. At most 1,000.
        backoff: Growth of the backoff. None: EXPONENTIAL.
        jitter: FULL draws each delay uniformly between zero and the backoff; NONE uses the backoff itself. None: FULL.
        min_backoff: First backoff. None: 1 s.
        max_backoff: Maximum backoff; does not apply to LIST. None: 5 min.
        multiplier: Factor from one backoff to the next, with EXPONENTIAL. 0: 2.
        delays: The backoffs, with LIST; the last one repeats. From 1 to 100 entries.
        max_retry_duration: Time after the job's creation within which another attempt may start. None: no limit.
        non_retryable_types: Failure types that are not retried. At most 64.
        rules: The first matching rule decides, see `retry_rule`. At most 20.
        limits: Failed attempts per cause ("application", "timeout", "lost_worker", "infrastructure"); the attempt that
            reaches the limit ends the job.
        on_exhaustion: PAUSE: a job that has no further attempt waits, PAUSED, for a person: `resume` counts anew,
            `fail` ends it. None: FAIL.

    Raises:
        TypeError: `limits` has another cause.
        ValueError: A backoff, jitter or on_exhaustion is unknown.
    """
    durations = {"min_backoff": min_backoff, "max_backoff": max_backoff, "max_retry_duration": max_retry_duration}
    return RetryPolicy(
        max_attempts=max_attempts,
        backoff=None if backoff is None else number_of(messages.Backoff, "BACKOFF_", backoff),  # type: ignore[arg-type]
        jitter=None if jitter is None else number_of(messages.Jitter, "JITTER_", jitter),  # type: ignore[arg-type]
        multiplier=multiplier,
        delays=[to_duration(delay) for delay in delays],
        non_retryable_types=non_retryable_types,
        rules=rules,
        limits=None if limits is None else _limits(limits),
        on_exhaustion=None if on_exhaustion is None else _exhaustion(on_exhaustion),  # type: ignore[arg-type]
        **{name: to_duration(length) for name, length in durations.items() if length is not None},
    )


def _limits(limits: Mapping[str, int]) -> CauseLimits:
    refuse_unknown("a retry policy's limits", limits, CauseLimits.DESCRIPTOR.fields_by_name)
    return CauseLimits(**limits)


def _exhaustion(action: str) -> int:
    return number_of(messages.ExhaustionAction, "EXHAUSTION_ACTION_", action)


def retry_rule(
    action: Literal["RETRY", "FAIL", "IGNORE", "PAUSE"],
    *,
    types: Sequence[str] = (),
    exit_codes: Sequence[int] = (),
    causes: Sequence[Cause] = (),
    delay: Seconds | None = None,
) -> RetryRule:
    """Makes a rule for some failures. It matches when all of its given conditions do.

    Args:
        action: RETRY: another attempt; this one counts. FAIL: the job ends. IGNORE: another attempt; this one does not
            count. PAUSE: the job waits until it is resumed.
        types: Failure types, such as "ValueError"; compared exactly. At most 64.
        exit_codes: Exit codes of the handler's process. From 1 to 255.
        causes: Causes of the failure. LOST_WORKER and INFRASTRUCTURE also match attempts that nobody reported.
        delay: Time before the next attempt, with RETRY and IGNORE. None: the policy's backoff.

    Raises:
        ValueError: The action or a cause is unknown.
    """
    rule = RetryRule(
        types=types,
        exit_codes=exit_codes,
        causes=[number_of(messages.RetryCause, "RETRY_CAUSE_", cause) for cause in causes],  # type: ignore[misc]
        action=number_of(messages.RetryAction, "RETRY_ACTION_", action),  # type: ignore[arg-type]
    )
    if delay is not None:
        rule.delay.CopyFrom(to_duration(delay))
    return rule
