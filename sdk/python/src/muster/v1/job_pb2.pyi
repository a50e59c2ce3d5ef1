import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import attempt_pb2 as _attempt_pb2
from muster.v1 import dependency_pb2 as _dependency_pb2
from muster.v1 import failure_pb2 as _failure_pb2
from muster.v1 import payload_pb2 as _payload_pb2
from muster.v1 import placement_pb2 as _placement_pb2
from muster.v1 import retry_policy_pb2 as _retry_policy_pb2
from muster.v1 import soft_deadline_pb2 as _soft_deadline_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_BLOCKED: _ClassVar[JobState]
    JOB_STATE_SCHEDULED: _ClassVar[JobState]
    JOB_STATE_READY: _ClassVar[JobState]
    JOB_STATE_PAUSED: _ClassVar[JobState]
    JOB_STATE_ASSIGNED: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_WAITING: _ClassVar[JobState]
    JOB_STATE_CANCELLING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]
    JOB_STATE_EXPIRED: _ClassVar[JobState]
    JOB_STATE_SKIPPED: _ClassVar[JobState]

class SkipReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SKIP_REASON_UNSPECIFIED: _ClassVar[SkipReason]
    SKIP_REASON_CONDITION: _ClassVar[SkipReason]
    SKIP_REASON_TRIGGER_RULE: _ClassVar[SkipReason]
    SKIP_REASON_UPSTREAM_FAILED: _ClassVar[SkipReason]
    SKIP_REASON_MANUAL: _ClassVar[SkipReason]

class WaitReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIT_REASON_UNSPECIFIED: _ClassVar[WaitReason]
    WAIT_REASON_JOB_PAUSED: _ClassVar[WaitReason]
    WAIT_REASON_DELAY: _ClassVar[WaitReason]
    WAIT_REASON_RETRY_BACKOFF: _ClassVar[WaitReason]
    WAIT_REASON_RETRY_BUDGET: _ClassVar[WaitReason]
    WAIT_REASON_QUEUE_PAUSED: _ClassVar[WaitReason]
    WAIT_REASON_CIRCUIT_BREAKER: _ClassVar[WaitReason]
    WAIT_REASON_KEY_LIMIT: _ClassVar[WaitReason]
    WAIT_REASON_DEFINITION_LIMIT: _ClassVar[WaitReason]
    WAIT_REASON_QUEUE_LIMIT: _ClassVar[WaitReason]
    WAIT_REASON_NO_WORKER: _ClassVar[WaitReason]
    WAIT_REASON_SUSPECT: _ClassVar[WaitReason]
    WAIT_REASON_IN_LINE: _ClassVar[WaitReason]
    WAIT_REASON_DEPENDENCY: _ClassVar[WaitReason]

class IdempotencyConflictPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDEMPOTENCY_CONFLICT_POLICY_UNSPECIFIED: _ClassVar[IdempotencyConflictPolicy]
    IDEMPOTENCY_CONFLICT_POLICY_FAIL: _ClassVar[IdempotencyConflictPolicy]
    IDEMPOTENCY_CONFLICT_POLICY_USE_EXISTING: _ClassVar[IdempotencyConflictPolicy]
    IDEMPOTENCY_CONFLICT_POLICY_REPLACE: _ClassVar[IdempotencyConflictPolicy]

class CancelStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANCEL_STAGE_UNSPECIFIED: _ClassVar[CancelStage]
    CANCEL_STAGE_REQUESTED: _ClassVar[CancelStage]
    CANCEL_STAGE_NOT_STARTED: _ClassVar[CancelStage]
    CANCEL_STAGE_STOPPED: _ClassVar[CancelStage]
    CANCEL_STAGE_FENCED: _ClassVar[CancelStage]
    CANCEL_STAGE_OVERTAKEN: _ClassVar[CancelStage]
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_BLOCKED: JobState
JOB_STATE_SCHEDULED: JobState
JOB_STATE_READY: JobState
JOB_STATE_PAUSED: JobState
JOB_STATE_ASSIGNED: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_WAITING: JobState
JOB_STATE_CANCELLING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
JOB_STATE_EXPIRED: JobState
JOB_STATE_SKIPPED: JobState
SKIP_REASON_UNSPECIFIED: SkipReason
SKIP_REASON_CONDITION: SkipReason
SKIP_REASON_TRIGGER_RULE: SkipReason
SKIP_REASON_UPSTREAM_FAILED: SkipReason
SKIP_REASON_MANUAL: SkipReason
WAIT_REASON_UNSPECIFIED: WaitReason
WAIT_REASON_JOB_PAUSED: WaitReason
WAIT_REASON_DELAY: WaitReason
WAIT_REASON_RETRY_BACKOFF: WaitReason
WAIT_REASON_RETRY_BUDGET: WaitReason
WAIT_REASON_QUEUE_PAUSED: WaitReason
WAIT_REASON_CIRCUIT_BREAKER: WaitReason
WAIT_REASON_KEY_LIMIT: WaitReason
WAIT_REASON_DEFINITION_LIMIT: WaitReason
WAIT_REASON_QUEUE_LIMIT: WaitReason
WAIT_REASON_NO_WORKER: WaitReason
WAIT_REASON_SUSPECT: WaitReason
WAIT_REASON_IN_LINE: WaitReason
WAIT_REASON_DEPENDENCY: WaitReason
IDEMPOTENCY_CONFLICT_POLICY_UNSPECIFIED: IdempotencyConflictPolicy
IDEMPOTENCY_CONFLICT_POLICY_FAIL: IdempotencyConflictPolicy
IDEMPOTENCY_CONFLICT_POLICY_USE_EXISTING: IdempotencyConflictPolicy
IDEMPOTENCY_CONFLICT_POLICY_REPLACE: IdempotencyConflictPolicy
CANCEL_STAGE_UNSPECIFIED: CancelStage
CANCEL_STAGE_REQUESTED: CancelStage
CANCEL_STAGE_NOT_STARTED: CancelStage
CANCEL_STAGE_STOPPED: CancelStage
CANCEL_STAGE_FENCED: CancelStage
CANCEL_STAGE_OVERTAKEN: CancelStage

class Job(_message.Message):
    __slots__ = ("job_id", "namespace", "definition", "definition_version", "queue", "state", "skip_reason", "state_reason", "priority", "labels", "input", "progress", "attempt", "attempt_count", "create_time", "run_time", "expire_time", "assign_time", "end_time", "result", "failure", "session_id", "idempotency_key", "retry_of", "parent_job_id", "traceparent", "revision", "attempts", "cancellation", "erased", "fairness_key", "limit_key", "wait_reason", "suspend_time", "exhausted", "cleanup_job_id", "soft_deadline_time", "soft_deadline_miss_time")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SKIP_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RUN_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    RETRY_OF_FIELD_NUMBER: _ClassVar[int]
    PARENT_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CANCELLATION_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_KEY_FIELD_NUMBER: _ClassVar[int]
    WAIT_REASON_FIELD_NUMBER: _ClassVar[int]
    SUSPEND_TIME_FIELD_NUMBER: _ClassVar[int]
    EXHAUSTED_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SOFT_DEADLINE_TIME_FIELD_NUMBER: _ClassVar[int]
    SOFT_DEADLINE_MISS_TIME_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    namespace: str
    definition: str
    definition_version: int
    queue: str
    state: JobState
    skip_reason: SkipReason
    state_reason: str
    priority: int
    labels: _containers.ScalarMap[str, str]
    input: _payload_pb2.Payload
    progress: Progress
    attempt: int
    attempt_count: int
    create_time: _timestamp_pb2.Timestamp
    run_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    assign_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    result: _payload_pb2.Payload
    failure: _failure_pb2.Failure
    session_id: str
    idempotency_key: str
    retry_of: str
    parent_job_id: str
    traceparent: str
    revision: int
    attempts: _containers.RepeatedCompositeFieldContainer[_attempt_pb2.Attempt]
    cancellation: Cancellation
    erased: bool
    fairness_key: str
    limit_key: str
    wait_reason: WaitReason
    suspend_time: _timestamp_pb2.Timestamp
    exhausted: bool
    cleanup_job_id: str
    soft_deadline_time: _timestamp_pb2.Timestamp
    soft_deadline_miss_time: _timestamp_pb2.Timestamp
    def __init__(self, job_id: _Optional[str] = ..., namespace: _Optional[str] = ..., definition: _Optional[str] = ..., definition_version: _Optional[int] = ..., queue: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., skip_reason: _Optional[_Union[SkipReason, str]] = ..., state_reason: _Optional[str] = ..., priority: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ..., input: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., attempt: _Optional[int] = ..., attempt_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., run_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., assign_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., result: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., failure: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ..., session_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., retry_of: _Optional[str] = ..., parent_job_id: _Optional[str] = ..., traceparent: _Optional[str] = ..., revision: _Optional[int] = ..., attempts: _Optional[_Iterable[_Union[_attempt_pb2.Attempt, _Mapping]]] = ..., cancellation: _Optional[_Union[Cancellation, _Mapping]] = ..., erased: bool = ..., fairness_key: _Optional[str] = ..., limit_key: _Optional[str] = ..., wait_reason: _Optional[_Union[WaitReason, str]] = ..., suspend_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., exhausted: bool = ..., cleanup_job_id: _Optional[str] = ..., soft_deadline_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., soft_deadline_miss_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Cancellation(_message.Message):
    __slots__ = ("stage", "reason", "request_time", "cleanup_job_id")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TIME_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    stage: CancelStage
    reason: str
    request_time: _timestamp_pb2.Timestamp
    cleanup_job_id: str
    def __init__(self, stage: _Optional[_Union[CancelStage, str]] = ..., reason: _Optional[str] = ..., request_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cleanup_job_id: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("fraction", "message", "done", "total", "unit", "estimated_end_time")
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_END_TIME_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    message: str
    done: int
    total: int
    unit: str
    estimated_end_time: _timestamp_pb2.Timestamp
    def __init__(self, fraction: _Optional[float] = ..., message: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., unit: _Optional[str] = ..., estimated_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class JobSubmission(_message.Message):
    __slots__ = ("definition", "definition_version", "input", "idempotency_key", "idempotency_conflict_policy", "labels", "priority", "run_time", "delay", "expire_time", "queue", "retry_policy", "run_timeout", "demands", "traceparent", "tracestate", "fairness_key", "sticky", "depends_on", "soft_deadline")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_CONFLICT_POLICY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    RUN_TIME_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    RETRY_POLICY_FIELD_NUMBER: _ClassVar[int]
    RUN_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DEMANDS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    STICKY_FIELD_NUMBER: _ClassVar[int]
    DEPENDS_ON_FIELD_NUMBER: _ClassVar[int]
    SOFT_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    definition: str
    definition_version: int
    input: _payload_pb2.Payload
    idempotency_key: str
    idempotency_conflict_policy: IdempotencyConflictPolicy
    labels: _containers.ScalarMap[str, str]
    priority: int
    run_time: _timestamp_pb2.Timestamp
    delay: _duration_pb2.Duration
    expire_time: _timestamp_pb2.Timestamp
    queue: str
    retry_policy: _retry_policy_pb2.RetryPolicy
    run_timeout: _duration_pb2.Duration
    demands: _placement_pb2.Demands
    traceparent: str
    tracestate: str
    fairness_key: str
    sticky: _placement_pb2.Sticky
    depends_on: _containers.RepeatedCompositeFieldContainer[_dependency_pb2.Dependency]
    soft_deadline: _soft_deadline_pb2.SoftDeadline
    def __init__(self, definition: _Optional[str] = ..., definition_version: _Optional[int] = ..., input: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., idempotency_key: _Optional[str] = ..., idempotency_conflict_policy: _Optional[_Union[IdempotencyConflictPolicy, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., priority: _Optional[int] = ..., run_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., queue: _Optional[str] = ..., retry_policy: _Optional[_Union[_retry_policy_pb2.RetryPolicy, _Mapping]] = ..., run_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., demands: _Optional[_Union[_placement_pb2.Demands, _Mapping]] = ..., traceparent: _Optional[str] = ..., tracestate: _Optional[str] = ..., fairness_key: _Optional[str] = ..., sticky: _Optional[_Union[_placement_pb2.Sticky, _Mapping]] = ..., depends_on: _Optional[_Iterable[_Union[_dependency_pb2.Dependency, _Mapping]]] = ..., soft_deadline: _Optional[_Union[_soft_deadline_pb2.SoftDeadline, _Mapping]] = ...) -> None: ...
