"""Converts a caller's definition to the message of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from google.protobuf.message import Message

from muster.client.options import refuse_unknown
from muster.client.words import number_of
from muster.durations import Seconds, to_duration
from muster.schemas import json_schema, protobuf_schema
from muster.v1.job_definition_pb2 import CleanupCondition, JobDefinition, LeaseLossAction, TaskBody
from muster.v1.limit_pb2 import KeyLimit, RateLimit
from muster.v1.retry_policy_pb2 import RetryPolicy
from muster.v1.soft_deadline_pb2 import SoftDeadline
from muster.v1.submission_rule_pb2 import Debounce, Throttle, Uniqueness

_DURATIONS = frozenset(
    {"run_timeout", "cancel_grace", "retention", "queue_timeout", "total_timeout", "progress_timeout"}
)
_SCHEMAS = frozenset({"input_json_schema", "output_json_schema"})
_OF_TASK = frozenset({"handler", "cleanup_handler", "cleanup_timeout", "cleanup_after"})


class DefinitionOptions(TypedDict, total=False):
    """Options of a definition, all optional. Times are seconds or timedeltas.

    Attributes:
        definition: A message with all other fields; the other options are set on a copy of it.
        handler: Name of the handler that runs its jobs. Default: the definition's name.
        cleanup_handler: Handler that cleans up after a job that had started and was cancelled. Default: none.
        cleanup_timeout: Maximum run time of one attempt of the clean-up. Default: 5 min.
        cleanup_after: "UNSUCCESSFUL": it also cleans up after a job that has failed. Default: "CANCELLED".
        queue: The queue of its jobs. Default: "default".
        retry_policy: How failed attempts are retried, see `muster.retry_policy`. Default: three attempts with
            exponential backoff.
        run_timeout: Maximum run time of an attempt. Default: 1 h.
        cancel_grace: Time between the request to stop and the moment an attempt is given up. Default: 30 s.
        lease_loss_action: What a worker does when it can't prove that it holds the lease. Default: "ABORT".
        priority: From -100 to 100; higher runs sooner. Default: 0.
        description: Shown to operators. At most 1,024 characters.
        labels: Labels for operators and filters.
        retention: How long an ended job is kept. Default: the namespace's.
        queue_timeout: Maximum time that a job may wait for its first attempt. Default: no limit.
        total_timeout: Maximum time to a job's end, all waits and attempts included. Default: no limit.
        progress_timeout: Maximum time between progress reports of an attempt. Default: no limit.
        soft_deadline: By when each of its jobs should have ended, see `muster.soft_deadline`. Default: no such time.
        fairness_key: A CEL expression over `input` and `labels`, such as "input.tenant"; the queue shares its workers
            fairly between its values. Default: none.
        max_concurrency: Jobs of the definition that workers may hold at once, in all versions. Default: 0, no limit. At
            most 100,000.
        rate_limit: Attempts of its jobs that may be assigned per period, see `muster.rate_limit`. Default: no limit.
        rate_cost: Units of rate limits that an attempt takes. Default: 1. At most 1,000.
        key_limit: Limits for each value of a key, see `muster.key_limit`. Default: none.
        input_json_schema: JSON Schema of the input, as text or as a value that `json` can write. Default: any input.
        output_json_schema: JSON Schema of the result, likewise.
        input_type: Type of the input, as in the handler's type hint: other inputs are refused when they are submitted.
            Sets `input_json_schema` (`muster.schemas.json_schema`), or the protobuf schema for a message.
        output_type: Type of the result, likewise: another result is a failure.
        uniqueness: Allows only one of matching jobs at a time. Default: any number. Excludes `debounce` and `throttle`.
        debounce: Of jobs in quick succession only the last one runs. Default: each runs.
        throttle: Allows one job per time interval. Default: any number.
        publishes: Names of data assets that each success publishes. Default: none. At most 20.
    """

    definition: JobDefinition
    handler: str
    cleanup_handler: str
    cleanup_timeout: Seconds
    cleanup_after: str
    queue: str
    retry_policy: RetryPolicy
    run_timeout: Seconds
    cancel_grace: Seconds
    lease_loss_action: str
    priority: int
    description: str
    labels: Mapping[str, str]
    retention: Seconds
    queue_timeout: Seconds
    total_timeout: Seconds
    progress_timeout: Seconds
    soft_deadline: SoftDeadline
    fairness_key: str
    max_concurrency: int
    rate_limit: RateLimit
    rate_cost: int
    key_limit: KeyLimit
    input_json_schema: str | Mapping[str, Any]
    output_json_schema: str | Mapping[str, Any]
    input_type: Any
    output_type: Any
    uniqueness: Uniqueness
    debounce: Debounce
    throttle: Throttle
    publishes: Sequence[str]


_OPTIONS = frozenset(DefinitionOptions.__annotations__)
_ONLY_OF_MESSAGE = frozenset(JobDefinition.DESCRIPTOR.fields_by_name) - _OPTIONS


def definition_message(name: str, namespace: str, options: DefinitionOptions) -> JobDefinition:
    """Returns the message. Without a body it is a task, run by the handler of the same name.

    Raises:
        TypeError: There is no such option, or a type has no schema.
        ValueError: An action or a condition is unknown.
    """
    wanted = JobDefinition()
    given: dict[str, Any] = dict(options)
    _refuse_unknown(given)
    if "definition" in given:
        wanted.CopyFrom(given.pop("definition"))
    wanted.name = name
    wanted.namespace = wanted.namespace or namespace
    if wanted.WhichOneof("body") is None:
        wanted.task.CopyFrom(TaskBody())
    for side in ("input", "output"):
        if f"{side}_type" in given:
            key, schema = _schema_of(side, given.pop(f"{side}_type"))
            given[key] = schema
    for key, value in given.items():
        if key in _OF_TASK:
            wanted.task.MergeFrom(TaskBody(**{key: _field(key, value)}))
        else:
            wanted.ClearField(key)
            wanted.MergeFrom(JobDefinition(**{key: _field(key, value)}))
    return wanted


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    for name in _ONLY_OF_MESSAGE & given.keys():
        raise TypeError(f"unknown option {name!r} of a definition: set it with definition=JobDefinition({name}=...)")
    refuse_unknown("a definition", given, _OPTIONS)


def _schema_of(side: str, hint: Any) -> tuple[str, Any]:
    if isinstance(hint, type) and issubclass(hint, Message):
        return f"{side}_protobuf_schema", protobuf_schema(hint)
    return f"{side}_json_schema", json_schema(hint)


def _field(key: str, value: Any) -> Any:
    if key in _DURATIONS or key == "cleanup_timeout":
        return to_duration(value)
    if key in _SCHEMAS and not isinstance(value, str):
        return json.dumps(value, sort_keys=True)
    if key == "cleanup_after":
        return number_of(CleanupCondition, "CLEANUP_CONDITION_", value)
    if key == "lease_loss_action":
        return number_of(LeaseLossAction, "LEASE_LOSS_ACTION_", value)
    return value
