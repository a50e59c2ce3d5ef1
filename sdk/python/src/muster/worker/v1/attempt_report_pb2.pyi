from muster.v1 import failure_pb2 as _failure_pb2
from muster.v1 import log_record_pb2 as _log_record_pb2
from muster.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReleaseReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_REASON_UNSPECIFIED: _ClassVar[ReleaseReason]
    RELEASE_REASON_NO_SLOT: _ClassVar[ReleaseReason]
    RELEASE_REASON_DEAD_CREDIT: _ClassVar[ReleaseReason]
    RELEASE_REASON_NOT_STARTED: _ClassVar[ReleaseReason]
    RELEASE_REASON_CANCELLED: _ClassVar[ReleaseReason]
    RELEASE_REASON_DRAIN: _ClassVar[ReleaseReason]
    RELEASE_REASON_UNSUPPORTED: _ClassVar[ReleaseReason]
    RELEASE_REASON_TOO_LARGE: _ClassVar[ReleaseReason]
    RELEASE_REASON_SUSPENDED: _ClassVar[ReleaseReason]

class ReportResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_RESULT_UNSPECIFIED: _ClassVar[ReportResult]
    REPORT_RESULT_ACCEPTED: _ClassVar[ReportResult]
    REPORT_RESULT_DUPLICATE: _ClassVar[ReportResult]
    REPORT_RESULT_LEASE_LOST: _ClassVar[ReportResult]
RELEASE_REASON_UNSPECIFIED: ReleaseReason
RELEASE_REASON_NO_SLOT: ReleaseReason
RELEASE_REASON_DEAD_CREDIT: ReleaseReason
RELEASE_REASON_NOT_STARTED: ReleaseReason
RELEASE_REASON_CANCELLED: ReleaseReason
RELEASE_REASON_DRAIN: ReleaseReason
RELEASE_REASON_UNSUPPORTED: ReleaseReason
RELEASE_REASON_TOO_LARGE: ReleaseReason
RELEASE_REASON_SUSPENDED: ReleaseReason
REPORT_RESULT_UNSPECIFIED: ReportResult
REPORT_RESULT_ACCEPTED: ReportResult
REPORT_RESULT_DUPLICATE: ReportResult
REPORT_RESULT_LEASE_LOST: ReportResult

class AttemptReport(_message.Message):
    __slots__ = ("job_id", "attempt", "result", "failure", "released", "cancelled", "aborted", "suspended", "logs")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    ABORTED_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    attempt: int
    result: _payload_pb2.Payload
    failure: _failure_pb2.Failure
    released: Released
    cancelled: Cancelled
    aborted: Aborted
    suspended: Suspended
    logs: _containers.RepeatedCompositeFieldContainer[_log_record_pb2.LogRecord]
    def __init__(self, job_id: _Optional[bytes] = ..., attempt: _Optional[int] = ..., result: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., failure: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ..., released: _Optional[_Union[Released, _Mapping]] = ..., cancelled: _Optional[_Union[Cancelled, _Mapping]] = ..., aborted: _Optional[_Union[Aborted, _Mapping]] = ..., suspended: _Optional[_Union[Suspended, _Mapping]] = ..., logs: _Optional[_Iterable[_Union[_log_record_pb2.LogRecord, _Mapping]]] = ...) -> None: ...

class Released(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: ReleaseReason
    def __init__(self, reason: _Optional[_Union[ReleaseReason, str]] = ...) -> None: ...

class Cancelled(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Aborted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Suspended(_message.Message):
    __slots__ = ("child_job_ids",)
    CHILD_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    child_job_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, child_job_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...
