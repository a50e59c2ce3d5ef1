import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuditAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIT_ACTION_UNSPECIFIED: _ClassVar[AuditAction]
    AUDIT_ACTION_ERASE_JOB: _ClassVar[AuditAction]
    AUDIT_ACTION_SKIP_STEP: _ClassVar[AuditAction]
    AUDIT_ACTION_RETRY_BATCH: _ClassVar[AuditAction]
    AUDIT_ACTION_CANCEL_JOB: _ClassVar[AuditAction]
    AUDIT_ACTION_RETRY_JOB: _ClassVar[AuditAction]
    AUDIT_ACTION_SEAL_BATCH: _ClassVar[AuditAction]
AUDIT_ACTION_UNSPECIFIED: AuditAction
AUDIT_ACTION_ERASE_JOB: AuditAction
AUDIT_ACTION_SKIP_STEP: AuditAction
AUDIT_ACTION_RETRY_BATCH: AuditAction
AUDIT_ACTION_CANCEL_JOB: AuditAction
AUDIT_ACTION_RETRY_JOB: AuditAction
AUDIT_ACTION_SEAL_BATCH: AuditAction

class AuditRecord(_message.Message):
    __slots__ = ("audit_id", "record_time", "action", "namespace", "job_id", "subject", "reason")
    AUDIT_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    audit_id: str
    record_time: _timestamp_pb2.Timestamp
    action: AuditAction
    namespace: str
    job_id: str
    subject: str
    reason: str
    def __init__(self, audit_id: _Optional[str] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., action: _Optional[_Union[AuditAction, str]] = ..., namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., subject: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
