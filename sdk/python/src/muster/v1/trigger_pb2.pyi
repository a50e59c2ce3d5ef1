import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import job_pb2 as _job_pb2
from muster.v1 import schedule_pb2 as _schedule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Trigger(_message.Message):
    __slots__ = ("namespace", "name", "condition", "job", "overlap_policy", "pause_on_failure", "expire_after", "description", "paused", "pause_reason", "etag", "create_time", "update_time", "job_count")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_POLICY_FIELD_NUMBER: _ClassVar[int]
    PAUSE_ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_AFTER_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    condition: TriggerCondition
    job: _job_pb2.JobSubmission
    overlap_policy: _schedule_pb2.OverlapPolicy
    pause_on_failure: bool
    expire_after: _duration_pb2.Duration
    description: str
    paused: bool
    pause_reason: str
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    job_count: int
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., condition: _Optional[_Union[TriggerCondition, _Mapping]] = ..., job: _Optional[_Union[_job_pb2.JobSubmission, _Mapping]] = ..., overlap_policy: _Optional[_Union[_schedule_pb2.OverlapPolicy, str]] = ..., pause_on_failure: bool = ..., expire_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., description: _Optional[str] = ..., paused: bool = ..., pause_reason: _Optional[str] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., job_count: _Optional[int] = ...) -> None: ...

class TriggerCondition(_message.Message):
    __slots__ = ("all_of", "any_of", "cause")
    ALL_OF_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    all_of: AllOfConditions
    any_of: AnyOfConditions
    cause: TriggerCause
    def __init__(self, all_of: _Optional[_Union[AllOfConditions, _Mapping]] = ..., any_of: _Optional[_Union[AnyOfConditions, _Mapping]] = ..., cause: _Optional[_Union[TriggerCause, _Mapping]] = ...) -> None: ...

class AllOfConditions(_message.Message):
    __slots__ = ("conditions", "within")
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[TriggerCondition]
    within: _duration_pb2.Duration
    def __init__(self, conditions: _Optional[_Iterable[_Union[TriggerCondition, _Mapping]]] = ..., within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class AnyOfConditions(_message.Message):
    __slots__ = ("conditions",)
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[TriggerCondition]
    def __init__(self, conditions: _Optional[_Iterable[_Union[TriggerCondition, _Mapping]]] = ...) -> None: ...

class TriggerCause(_message.Message):
    __slots__ = ("signal", "asset", "job", "schedule", "filter", "key")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    signal: SignalCause
    asset: AssetCause
    job: JobCause
    schedule: ScheduleCause
    filter: str
    key: str
    def __init__(self, signal: _Optional[_Union[SignalCause, _Mapping]] = ..., asset: _Optional[_Union[AssetCause, _Mapping]] = ..., job: _Optional[_Union[JobCause, _Mapping]] = ..., schedule: _Optional[_Union[ScheduleCause, _Mapping]] = ..., filter: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class SignalCause(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AssetCause(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class JobCause(_message.Message):
    __slots__ = ("definition", "states")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    definition: str
    states: _containers.RepeatedScalarFieldContainer[_job_pb2.JobState]
    def __init__(self, definition: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_job_pb2.JobState, str]]] = ...) -> None: ...

class ScheduleCause(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class TriggerRun(_message.Message):
    __slots__ = ("time", "key", "state", "job_id", "skip_reason", "message", "decide_time")
    TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SKIP_REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    key: str
    state: _schedule_pb2.ScheduleRunState
    job_id: str
    skip_reason: _schedule_pb2.ScheduleSkipReason
    message: str
    decide_time: _timestamp_pb2.Timestamp
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key: _Optional[str] = ..., state: _Optional[_Union[_schedule_pb2.ScheduleRunState, str]] = ..., job_id: _Optional[str] = ..., skip_reason: _Optional[_Union[_schedule_pb2.ScheduleSkipReason, str]] = ..., message: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TriggerProgress(_message.Message):
    __slots__ = ("key", "held", "missing", "since_time", "expire_time")
    KEY_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    key: str
    held: _containers.RepeatedCompositeFieldContainer[HeldCause]
    missing: _containers.RepeatedScalarFieldContainer[str]
    since_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, key: _Optional[str] = ..., held: _Optional[_Iterable[_Union[HeldCause, _Mapping]]] = ..., missing: _Optional[_Iterable[str]] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class HeldCause(_message.Message):
    __slots__ = ("condition", "text", "time", "count")
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    condition: int
    text: str
    time: _timestamp_pb2.Timestamp
    count: int
    def __init__(self, condition: _Optional[int] = ..., text: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...
