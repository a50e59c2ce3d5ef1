import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from muster.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FailureCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_CAUSE_UNSPECIFIED: _ClassVar[FailureCause]
    FAILURE_CAUSE_APPLICATION: _ClassVar[FailureCause]
    FAILURE_CAUSE_TIMEOUT: _ClassVar[FailureCause]
    FAILURE_CAUSE_LOST_WORKER: _ClassVar[FailureCause]
    FAILURE_CAUSE_LEASE_LOST: _ClassVar[FailureCause]
    FAILURE_CAUSE_CANCELLED: _ClassVar[FailureCause]
    FAILURE_CAUSE_EXPIRED: _ClassVar[FailureCause]
    FAILURE_CAUSE_LOST_TOO_OFTEN: _ClassVar[FailureCause]
    FAILURE_CAUSE_POISON: _ClassVar[FailureCause]
    FAILURE_CAUSE_INTERNAL: _ClassVar[FailureCause]
    FAILURE_CAUSE_SESSION_CLOSED: _ClassVar[FailureCause]
    FAILURE_CAUSE_INFRASTRUCTURE: _ClassVar[FailureCause]
    FAILURE_CAUSE_DEPENDENCY: _ClassVar[FailureCause]
FAILURE_CAUSE_UNSPECIFIED: FailureCause
FAILURE_CAUSE_APPLICATION: FailureCause
FAILURE_CAUSE_TIMEOUT: FailureCause
FAILURE_CAUSE_LOST_WORKER: FailureCause
FAILURE_CAUSE_LEASE_LOST: FailureCause
FAILURE_CAUSE_CANCELLED: FailureCause
FAILURE_CAUSE_EXPIRED: FailureCause
FAILURE_CAUSE_LOST_TOO_OFTEN: FailureCause
FAILURE_CAUSE_POISON: FailureCause
FAILURE_CAUSE_INTERNAL: FailureCause
FAILURE_CAUSE_SESSION_CLOSED: FailureCause
FAILURE_CAUSE_INFRASTRUCTURE: FailureCause
FAILURE_CAUSE_DEPENDENCY: FailureCause

class Failure(_message.Message):
    __slots__ = ("type", "message", "stack_trace", "failure_cause", "non_retryable", "retry_delay", "cause", "details", "exit_code")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STACK_TRACE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_CAUSE_FIELD_NUMBER: _ClassVar[int]
    NON_RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    stack_trace: str
    failure_cause: FailureCause
    non_retryable: bool
    retry_delay: _duration_pb2.Duration
    cause: Failure
    details: _payload_pb2.Payload
    exit_code: int
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ..., stack_trace: _Optional[str] = ..., failure_cause: _Optional[_Union[FailureCause, str]] = ..., non_retryable: bool = ..., retry_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cause: _Optional[_Union[Failure, _Mapping]] = ..., details: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., exit_code: _Optional[int] = ...) -> None: ...
