"""Builds settings of roll-outs: seconds or timedeltas stand for durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from muster.durations import Seconds, to_duration
from muster.v1.rollout_pb2 import RolloutSettings, RolloutStep


def rollout_settings(
    steps: Sequence[RolloutStep],
    *,
    labels: Mapping[str, str] | None = None,
    min_job_count: int = 0,
    max_failure_increase: float | None = None,
) -> RolloutSettings:
    """Says how a new version of a definition takes the place of the one before it.

    Args:
        steps: The steps in their order, see `muster.rollout_step`. From 1 to 20. After the last one with a hold, the
            version is promoted.
        labels: Jobs with all of these labels take the new version, whatever the percentage. At most 8. None: none do.
        min_job_count: Jobs of the new version that must have ended before it is judged, and before a next step. 0: 20.
            At most 1,000.
        max_failure_increase: The version is rolled back when the fraction of its jobs that fail exceeds that of the
            other version by more than this. From 0 to 1; 1: never. None: 0.1.
    """
    settings = RolloutSettings(steps=steps, labels=labels, min_job_count=min_job_count)
    if max_failure_increase is not None:
        settings.max_failure_increase = max_failure_increase
    return settings


def rollout_step(percent: int, *, hold: Seconds | None = None) -> RolloutStep:
    """A step of a roll-out.

    Args:
        percent: Percentage of the new jobs that take the new version. From 0 to 100; each step has more than the one
            before.
        hold: How long the step lasts at least, in seconds or as a timedelta. From 1 s to 30 days. None: until
            `update_rollout` or `promote_rollout`.
    """
    step = RolloutStep(percent=percent)
    if hold is not None:
        step.hold.CopyFrom(to_duration(hold))
    return step
