"""Converts the options of a job to the message of the contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from muster import payloads
from muster.client.options import refuse_unknown
from muster.client.words import number_of, to_timestamp
from muster.durations import Seconds, to_duration
from muster.v1.dependency_pb2 import Dependency
from muster.v1.job_pb2 import IdempotencyConflictPolicy, JobSubmission
from muster.v1.placement_pb2 import Demands, Sticky
from muster.v1.retry_policy_pb2 import RetryPolicy
from muster.v1.soft_deadline_pb2 import SoftDeadline

if TYPE_CHECKING:
    from typing_extensions import Unpack

_DURATIONS = ("delay", "run_timeout")
_MOMENTS = ("run_time", "expire_time")


class JobOptions(TypedDict, total=False):
    """Options of a job, all optional. Durations are seconds or timedeltas.

    Attributes:
        definition_version: Version of the definition. Default: the newest.
        idempotency_key: Business key: a second submission with the same key gives the same job. At most 256 characters.
        idempotency_conflict_policy: What happens when the key is in use. Default: "USE_EXISTING".
        labels: At most 64; keys at most 63 characters, values at most 256.
        priority: From -100 to 100; higher runs sooner. Default: the definition's.
        run_time: Not before this time. Excludes `delay`.
        delay: Not before this time after acceptance. Excludes `run_time`.
        expire_time: The job expires when it has not started by this time. Default: never.
        queue: The queue of the job. Default: the definition's.
        fairness_key: The queue shares its workers fairly between these keys; use a tenant, for example. At most 256
            characters. Default: the value of the definition's `fairness_key`.
        retry_policy: Replaces the definition's retry policy; see `muster.retry_policy`.
        run_timeout: Replaces the definition's run timeout.
        soft_deadline: By when it should have ended, see `muster.soft_deadline`. Default: the definition's.
        demands: Replaces the definition's demands.
        sticky: Prefers or requires the worker of an earlier job. Default: any suitable worker.
        depends_on: The job starts when all of these are met. At most 100; see `muster.after`.
        traceparent: W3C trace context of the job.
        tracestate: W3C trace state for `traceparent`.
    """

    definition_version: int
    idempotency_key: str
    idempotency_conflict_policy: Literal["FAIL", "USE_EXISTING", "REPLACE"]
    labels: Mapping[str, str]
    priority: int
    run_time: dt.datetime
    delay: Seconds
    expire_time: dt.datetime
    queue: str
    fairness_key: str
    retry_policy: RetryPolicy
    run_timeout: Seconds
    soft_deadline: SoftDeadline
    demands: Demands
    sticky: Sticky
    depends_on: Sequence[Dependency]
    traceparent: str
    tracestate: str


_OPTIONS = frozenset(JobOptions.__annotations__)


def job_submission(definition: str, input: Any = None, **options: Unpack[JobOptions]) -> JobSubmission:  # noqa: A002
    """Makes a submission for `submit_many`.

    Args:
        definition: Name of the definition.
        input: A JSON value, a dataclass, a pydantic model, a msgspec struct, bytes, a protobuf message, or a `Payload`;
            see `muster.payloads.encode`.
        **options: See `JobOptions`.

    Raises:
        TypeError: The input has no JSON form, or there is no such option.
        ValueError: Both `run_time` and `delay` are given, or a time says nothing of its time zone.
    """
    refuse_unknown("a job", options, _OPTIONS)
    if "run_time" in options and "delay" in options:
        raise ValueError("give either run_time or delay")
    fields: dict[str, Any] = dict(options)
    for name in _DURATIONS:
        if name in fields:
            fields[name] = to_duration(fields[name])
    for name in _MOMENTS:
        if name in fields:
            fields[name] = to_timestamp(fields[name])
    if "idempotency_conflict_policy" in fields:
        fields["idempotency_conflict_policy"] = number_of(
            IdempotencyConflictPolicy, "IDEMPOTENCY_CONFLICT_POLICY_", fields["idempotency_conflict_policy"]
        )
    return JobSubmission(definition=definition, input=payloads.encode(input), **fields)
