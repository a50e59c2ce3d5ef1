"""Converts triggers to messages of the contract, and builds their conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from muster.client.job_ref import state_number
from muster.client.options import refuse_unknown
from muster.client.schedule import OverlapWord, overlap_number
from muster.client.submission import JobOptions, job_submission
from muster.durations import Seconds, to_duration
from muster.v1.trigger_pb2 import (
    AllOfConditions,
    AnyOfConditions,
    AssetCause,
    JobCause,
    ScheduleCause,
    SignalCause,
    Trigger,
    TriggerCause,
    TriggerCondition,
)


class TriggerOptions(TypedDict, total=False):
    """Options of a trigger, all optional. Times are seconds or timedeltas.

    Attributes:
        job: Options of its jobs, see `JobOptions`; without key, start, expiry, trace context, sticky and dependencies.
        overlap_policy: What happens when the condition is met while a job of an earlier time is still open. Default:
            "ALLOW_ALL".
        pause_on_failure: Pauses the trigger when one of its jobs fails permanently or expires. Default: False.
        expire_after: A cause that has not led to a job is dropped after this time, from 1 s to 10 years. Default: 30
            days.
        description: Shown to operators. At most 1,024 characters.
        etag: Etag of the trigger as read. If the trigger has changed since, the call fails. Default: no check.
    """

    job: JobOptions
    overlap_policy: OverlapWord
    pause_on_failure: bool
    expire_after: Seconds
    description: str
    etag: str


_OPTIONS = frozenset(TriggerOptions.__annotations__)


def when_signal(name: str, *, filter: str = "", key: str = "") -> TriggerCondition:  # noqa: A002
    """A condition: a signal of this name is sent.

    Args:
        name: Name of the signal.
        filter: Which of them count: a CEL expression over `cause`, such as "cause.payload.amount > 100". Empty: all.
        key: Which causes belong together: a CEL expression over `cause`, such as "cause.payload.order". The condition
            is met for each key separately. All causes of a trigger have a key, or none has. Empty: the empty key.
    """
    return TriggerCondition(cause=TriggerCause(signal=SignalCause(name=name), filter=filter, key=key))


def when_asset(name: str, *, filter: str = "", key: str = "") -> TriggerCondition:  # noqa: A002
    """A condition: a data asset is published.

    Args:
        name: Name of the asset.
        filter: Which publications count, see `when_signal`.
        key: Which causes belong together, see `when_signal`.
    """
    return TriggerCondition(cause=TriggerCause(asset=AssetCause(name=name), filter=filter, key=key))


def when_job_ends(
    definition: str,
    *,
    states: Sequence[str | int] = (),
    filter: str = "",  # noqa: A002
    key: str = "",
) -> TriggerCondition:
    """A condition: a job of the definition ends, also one that is a step of a workflow or a member of a batch.

    Args:
        definition: Name of the definition.
        states: The end states that count, such as "FAILED". Empty: "SUCCEEDED".
        filter: Which ends count, see `when_signal`.
        key: Which causes belong together, see `when_signal`.

    Raises:
        ValueError: No state has this name.
    """
    job = JobCause(definition=definition)
    job.states.extend(state_number(state) for state in states)
    return TriggerCondition(cause=TriggerCause(job=job, filter=filter, key=key))


def when_schedule_runs(name: str, *, filter: str = "", key: str = "") -> TriggerCondition:  # noqa: A002
    """A condition: a schedule starts one of its runs.

    Args:
        name: Name of the schedule.
        filter: Which runs count, see `when_signal`.
        key: Which causes belong together, see `when_signal`.
    """
    return TriggerCondition(cause=TriggerCause(schedule=ScheduleCause(name=name), filter=filter, key=key))


def all_of(*conditions: TriggerCondition, within: Seconds | None = None) -> TriggerCondition:
    """A condition that is met when all of the conditions are.

    Args:
        *conditions: At least one.
        within: The causes must come within this time of each other, in seconds or as a timedelta, from 1 ms to 10
            years. None: any time.
    """
    together = AllOfConditions(conditions=conditions)
    if within is not None:
        together.within.CopyFrom(to_duration(within))
    return TriggerCondition(all_of=together)


def any_of(*conditions: TriggerCondition) -> TriggerCondition:
    """A condition that is met when one of the conditions is.

    Args:
        *conditions: At least one.
    """
    return TriggerCondition(any_of=AnyOfConditions(conditions=conditions))


def trigger_message(
    namespace: str, name: str, definition: str, condition: TriggerCondition, options: Mapping[str, Any]
) -> Trigger:
    """Converts options to the message of `TriggerOptions`.

    Raises:
        TypeError: There is no such option.
        ValueError: The policy is unknown.
    """
    refuse_unknown("a trigger", options, _OPTIONS)
    rest = dict(options)
    job = job_submission(definition, **rest.pop("job", {}))
    # The control plane gives each job the causes as its input.
    job.ClearField("input")
    expiry = rest.pop("expire_after", None)
    overlap = rest.pop("overlap_policy", None)
    trigger = Trigger(namespace=namespace, name=name, condition=condition, job=job, **rest)
    if expiry is not None:
        trigger.expire_after.CopyFrom(to_duration(expiry))
    if overlap is not None:
        trigger.overlap_policy = overlap_number(overlap)
    return trigger
