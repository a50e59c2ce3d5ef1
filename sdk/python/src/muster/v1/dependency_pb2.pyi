import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DependencyCondition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEPENDENCY_CONDITION_UNSPECIFIED: _ClassVar[DependencyCondition]
    DEPENDENCY_CONDITION_SUCCEEDED: _ClassVar[DependencyCondition]
    DEPENDENCY_CONDITION_ENDED: _ClassVar[DependencyCondition]
    DEPENDENCY_CONDITION_FAILED: _ClassVar[DependencyCondition]
DEPENDENCY_CONDITION_UNSPECIFIED: DependencyCondition
DEPENDENCY_CONDITION_SUCCEEDED: DependencyCondition
DEPENDENCY_CONDITION_ENDED: DependencyCondition
DEPENDENCY_CONDITION_FAILED: DependencyCondition

class Dependency(_message.Message):
    __slots__ = ("job_id", "step", "asset", "condition")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    step: StepRef
    asset: AssetRef
    condition: DependencyCondition
    def __init__(self, job_id: _Optional[str] = ..., step: _Optional[_Union[StepRef, _Mapping]] = ..., asset: _Optional[_Union[AssetRef, _Mapping]] = ..., condition: _Optional[_Union[DependencyCondition, str]] = ...) -> None: ...

class StepRef(_message.Message):
    __slots__ = ("workflow_job_id", "step")
    WORKFLOW_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    workflow_job_id: str
    step: str
    def __init__(self, workflow_job_id: _Optional[str] = ..., step: _Optional[str] = ...) -> None: ...

class AssetRef(_message.Message):
    __slots__ = ("name", "after_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., after_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
