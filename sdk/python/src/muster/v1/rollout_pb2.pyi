import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RolloutState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLOUT_STATE_UNSPECIFIED: _ClassVar[RolloutState]
    ROLLOUT_STATE_OPEN: _ClassVar[RolloutState]
    ROLLOUT_STATE_PROMOTED: _ClassVar[RolloutState]
    ROLLOUT_STATE_ROLLED_BACK: _ClassVar[RolloutState]
    ROLLOUT_STATE_SUPERSEDED: _ClassVar[RolloutState]
ROLLOUT_STATE_UNSPECIFIED: RolloutState
ROLLOUT_STATE_OPEN: RolloutState
ROLLOUT_STATE_PROMOTED: RolloutState
ROLLOUT_STATE_ROLLED_BACK: RolloutState
ROLLOUT_STATE_SUPERSEDED: RolloutState

class RolloutSettings(_message.Message):
    __slots__ = ("steps", "labels", "min_job_count", "max_failure_increase")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STEPS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MIN_JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURE_INCREASE_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[RolloutStep]
    labels: _containers.ScalarMap[str, str]
    min_job_count: int
    max_failure_increase: float
    def __init__(self, steps: _Optional[_Iterable[_Union[RolloutStep, _Mapping]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., min_job_count: _Optional[int] = ..., max_failure_increase: _Optional[float] = ...) -> None: ...

class RolloutStep(_message.Message):
    __slots__ = ("percent", "hold")
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    percent: int
    hold: _duration_pb2.Duration
    def __init__(self, percent: _Optional[int] = ..., hold: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Rollout(_message.Message):
    __slots__ = ("namespace", "definition", "version", "base_version", "settings", "state", "reason", "step", "step_time", "waits_for_workers", "counts", "base_counts", "start_time", "end_time", "check_time")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    WAITS_FOR_WORKERS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    BASE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECK_TIME_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    definition: str
    version: int
    base_version: int
    settings: RolloutSettings
    state: RolloutState
    reason: str
    step: int
    step_time: _timestamp_pb2.Timestamp
    waits_for_workers: bool
    counts: RolloutCounts
    base_counts: RolloutCounts
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    check_time: _timestamp_pb2.Timestamp
    def __init__(self, namespace: _Optional[str] = ..., definition: _Optional[str] = ..., version: _Optional[int] = ..., base_version: _Optional[int] = ..., settings: _Optional[_Union[RolloutSettings, _Mapping]] = ..., state: _Optional[_Union[RolloutState, str]] = ..., reason: _Optional[str] = ..., step: _Optional[int] = ..., step_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waits_for_workers: bool = ..., counts: _Optional[_Union[RolloutCounts, _Mapping]] = ..., base_counts: _Optional[_Union[RolloutCounts, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., check_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RolloutCounts(_message.Message):
    __slots__ = ("ended_count", "failed_count", "retrying_count")
    ENDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RETRYING_COUNT_FIELD_NUMBER: _ClassVar[int]
    ended_count: int
    failed_count: int
    retrying_count: int
    def __init__(self, ended_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., retrying_count: _Optional[int] = ...) -> None: ...
