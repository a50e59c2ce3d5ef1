import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import failure_pb2 as _failure_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_OUTCOME_UNSPECIFIED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_SUCCEEDED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_FAILED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_CANCELLED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_RELEASED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_ABORTED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_LAPSED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_SESSION_CLOSED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_TIMED_OUT: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_SUSPENDED: _ClassVar[AttemptOutcome]
ATTEMPT_OUTCOME_UNSPECIFIED: AttemptOutcome
ATTEMPT_OUTCOME_SUCCEEDED: AttemptOutcome
ATTEMPT_OUTCOME_FAILED: AttemptOutcome
ATTEMPT_OUTCOME_CANCELLED: AttemptOutcome
ATTEMPT_OUTCOME_RELEASED: AttemptOutcome
ATTEMPT_OUTCOME_ABORTED: AttemptOutcome
ATTEMPT_OUTCOME_LAPSED: AttemptOutcome
ATTEMPT_OUTCOME_SESSION_CLOSED: AttemptOutcome
ATTEMPT_OUTCOME_TIMED_OUT: AttemptOutcome
ATTEMPT_OUTCOME_SUSPENDED: AttemptOutcome

class Attempt(_message.Message):
    __slots__ = ("attempt", "session_id", "worker_name", "outcome", "counted", "assign_time", "end_time", "failure", "late_report")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    LATE_REPORT_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    session_id: str
    worker_name: str
    outcome: AttemptOutcome
    counted: bool
    assign_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    failure: _failure_pb2.Failure
    late_report: LateReport
    def __init__(self, attempt: _Optional[int] = ..., session_id: _Optional[str] = ..., worker_name: _Optional[str] = ..., outcome: _Optional[_Union[AttemptOutcome, str]] = ..., counted: bool = ..., assign_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failure: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ..., late_report: _Optional[_Union[LateReport, _Mapping]] = ...) -> None: ...

class LateReport(_message.Message):
    __slots__ = ("outcome", "report_time")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REPORT_TIME_FIELD_NUMBER: _ClassVar[int]
    outcome: AttemptOutcome
    report_time: _timestamp_pb2.Timestamp
    def __init__(self, outcome: _Optional[_Union[AttemptOutcome, str]] = ..., report_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
