import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import failure_pb2 as _failure_pb2
from muster.v1 import job_pb2 as _job_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobEvent(_message.Message):
    __slots__ = ("job_id", "namespace", "definition", "revision", "previous_state", "state", "attempt", "event_time", "failure", "wait_reason", "soft_deadline_missed")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    WAIT_REASON_FIELD_NUMBER: _ClassVar[int]
    SOFT_DEADLINE_MISSED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    namespace: str
    definition: str
    revision: int
    previous_state: _job_pb2.JobState
    state: _job_pb2.JobState
    attempt: int
    event_time: _timestamp_pb2.Timestamp
    failure: _failure_pb2.Failure
    wait_reason: _job_pb2.WaitReason
    soft_deadline_missed: bool
    def __init__(self, job_id: _Optional[str] = ..., namespace: _Optional[str] = ..., definition: _Optional[str] = ..., revision: _Optional[int] = ..., previous_state: _Optional[_Union[_job_pb2.JobState, str]] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., attempt: _Optional[int] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failure: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ..., wait_reason: _Optional[_Union[_job_pb2.WaitReason, str]] = ..., soft_deadline_missed: bool = ...) -> None: ...
