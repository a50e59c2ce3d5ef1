import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import circuit_breaker_pb2 as _circuit_breaker_pb2
from muster.v1 import limit_pb2 as _limit_pb2
from muster.v1 import placement_pb2 as _placement_pb2
from muster.v1 import retry_policy_pb2 as _retry_policy_pb2
from muster.v1 import soft_deadline_pb2 as _soft_deadline_pb2
from muster.v1 import submission_rule_pb2 as _submission_rule_pb2
from muster.v1 import wait_pb2 as _wait_pb2
from muster.v1 import workflow_pb2 as _workflow_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LeaseLossAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEASE_LOSS_ACTION_UNSPECIFIED: _ClassVar[LeaseLossAction]
    LEASE_LOSS_ACTION_ABORT: _ClassVar[LeaseLossAction]
    LEASE_LOSS_ACTION_CONTINUE: _ClassVar[LeaseLossAction]

class CleanupCondition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLEANUP_CONDITION_UNSPECIFIED: _ClassVar[CleanupCondition]
    CLEANUP_CONDITION_CANCELLED: _ClassVar[CleanupCondition]
    CLEANUP_CONDITION_UNSUCCESSFUL: _ClassVar[CleanupCondition]
LEASE_LOSS_ACTION_UNSPECIFIED: LeaseLossAction
LEASE_LOSS_ACTION_ABORT: LeaseLossAction
LEASE_LOSS_ACTION_CONTINUE: LeaseLossAction
CLEANUP_CONDITION_UNSPECIFIED: CleanupCondition
CLEANUP_CONDITION_CANCELLED: CleanupCondition
CLEANUP_CONDITION_UNSUCCESSFUL: CleanupCondition

class JobDefinition(_message.Message):
    __slots__ = ("namespace", "name", "version", "task", "workflow", "wait", "queue", "retry_policy", "run_timeout", "cancel_grace", "lease_loss_action", "demands", "priority", "description", "labels", "retention", "create_time", "input_json_schema", "output_json_schema", "queue_timeout", "total_timeout", "progress_timeout", "progress_watchdog", "retry_budget", "circuit_breaker", "input_protobuf_schema", "output_protobuf_schema", "archive_time", "fairness_key", "max_concurrency", "rate_limit", "rate_cost", "key_limit", "uniqueness", "debounce", "throttle", "publishes", "soft_deadline")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    RETRY_POLICY_FIELD_NUMBER: _ClassVar[int]
    RUN_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_GRACE_FIELD_NUMBER: _ClassVar[int]
    LEASE_LOSS_ACTION_FIELD_NUMBER: _ClassVar[int]
    DEMANDS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    INPUT_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_WATCHDOG_FIELD_NUMBER: _ClassVar[int]
    RETRY_BUDGET_FIELD_NUMBER: _ClassVar[int]
    CIRCUIT_BREAKER_FIELD_NUMBER: _ClassVar[int]
    INPUT_PROTOBUF_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_PROTOBUF_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    RATE_COST_FIELD_NUMBER: _ClassVar[int]
    KEY_LIMIT_FIELD_NUMBER: _ClassVar[int]
    UNIQUENESS_FIELD_NUMBER: _ClassVar[int]
    DEBOUNCE_FIELD_NUMBER: _ClassVar[int]
    THROTTLE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHES_FIELD_NUMBER: _ClassVar[int]
    SOFT_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    version: int
    task: TaskBody
    workflow: _workflow_pb2.WorkflowBody
    wait: _wait_pb2.WaitBody
    queue: str
    retry_policy: _retry_policy_pb2.RetryPolicy
    run_timeout: _duration_pb2.Duration
    cancel_grace: _duration_pb2.Duration
    lease_loss_action: LeaseLossAction
    demands: _placement_pb2.Demands
    priority: int
    description: str
    labels: _containers.ScalarMap[str, str]
    retention: _duration_pb2.Duration
    create_time: _timestamp_pb2.Timestamp
    input_json_schema: str
    output_json_schema: str
    queue_timeout: _duration_pb2.Duration
    total_timeout: _duration_pb2.Duration
    progress_timeout: _duration_pb2.Duration
    progress_watchdog: ProgressWatchdog
    retry_budget: _retry_policy_pb2.RetryBudget
    circuit_breaker: _circuit_breaker_pb2.CircuitBreaker
    input_protobuf_schema: ProtobufSchema
    output_protobuf_schema: ProtobufSchema
    archive_time: _timestamp_pb2.Timestamp
    fairness_key: str
    max_concurrency: int
    rate_limit: _limit_pb2.RateLimit
    rate_cost: int
    key_limit: _limit_pb2.KeyLimit
    uniqueness: _submission_rule_pb2.Uniqueness
    debounce: _submission_rule_pb2.Debounce
    throttle: _submission_rule_pb2.Throttle
    publishes: _containers.RepeatedScalarFieldContainer[str]
    soft_deadline: _soft_deadline_pb2.SoftDeadline
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., task: _Optional[_Union[TaskBody, _Mapping]] = ..., workflow: _Optional[_Union[_workflow_pb2.WorkflowBody, _Mapping]] = ..., wait: _Optional[_Union[_wait_pb2.WaitBody, _Mapping]] = ..., queue: _Optional[str] = ..., retry_policy: _Optional[_Union[_retry_policy_pb2.RetryPolicy, _Mapping]] = ..., run_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cancel_grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lease_loss_action: _Optional[_Union[LeaseLossAction, str]] = ..., demands: _Optional[_Union[_placement_pb2.Demands, _Mapping]] = ..., priority: _Optional[int] = ..., description: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., retention: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., input_json_schema: _Optional[str] = ..., output_json_schema: _Optional[str] = ..., queue_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., progress_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., progress_watchdog: _Optional[_Union[ProgressWatchdog, _Mapping]] = ..., retry_budget: _Optional[_Union[_retry_policy_pb2.RetryBudget, _Mapping]] = ..., circuit_breaker: _Optional[_Union[_circuit_breaker_pb2.CircuitBreaker, _Mapping]] = ..., input_protobuf_schema: _Optional[_Union[ProtobufSchema, _Mapping]] = ..., output_protobuf_schema: _Optional[_Union[ProtobufSchema, _Mapping]] = ..., archive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fairness_key: _Optional[str] = ..., max_concurrency: _Optional[int] = ..., rate_limit: _Optional[_Union[_limit_pb2.RateLimit, _Mapping]] = ..., rate_cost: _Optional[int] = ..., key_limit: _Optional[_Union[_limit_pb2.KeyLimit, _Mapping]] = ..., uniqueness: _Optional[_Union[_submission_rule_pb2.Uniqueness, _Mapping]] = ..., debounce: _Optional[_Union[_submission_rule_pb2.Debounce, _Mapping]] = ..., throttle: _Optional[_Union[_submission_rule_pb2.Throttle, _Mapping]] = ..., publishes: _Optional[_Iterable[str]] = ..., soft_deadline: _Optional[_Union[_soft_deadline_pb2.SoftDeadline, _Mapping]] = ...) -> None: ...

class ProtobufSchema(_message.Message):
    __slots__ = ("file_descriptor_set", "message_type")
    FILE_DESCRIPTOR_SET_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    file_descriptor_set: bytes
    message_type: str
    def __init__(self, file_descriptor_set: _Optional[bytes] = ..., message_type: _Optional[str] = ...) -> None: ...

class ProgressWatchdog(_message.Message):
    __slots__ = ("min_fraction", "window")
    MIN_FRACTION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    min_fraction: float
    window: _duration_pb2.Duration
    def __init__(self, min_fraction: _Optional[float] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class TaskBody(_message.Message):
    __slots__ = ("handler", "cleanup_handler", "cleanup_timeout", "cleanup_after")
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_HANDLER_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_AFTER_FIELD_NUMBER: _ClassVar[int]
    handler: str
    cleanup_handler: str
    cleanup_timeout: _duration_pb2.Duration
    cleanup_after: CleanupCondition
    def __init__(self, handler: _Optional[str] = ..., cleanup_handler: _Optional[str] = ..., cleanup_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cleanup_after: _Optional[_Union[CleanupCondition, str]] = ...) -> None: ...
