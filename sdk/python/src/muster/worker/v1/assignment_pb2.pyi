import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from muster.v1 import job_definition_pb2 as _job_definition_pb2
from muster.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Assignment(_message.Message):
    __slots__ = ("job_id", "attempt", "credit_id", "handler", "input", "prefetch", "run_timeout", "definition", "definition_version", "namespace", "attempt_count", "checkpoint", "traceparent", "tracestate", "lease_loss_action")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_ID_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    PREFETCH_FIELD_NUMBER: _ClassVar[int]
    RUN_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    LEASE_LOSS_ACTION_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    attempt: int
    credit_id: int
    handler: str
    input: _payload_pb2.Payload
    prefetch: bool
    run_timeout: _duration_pb2.Duration
    definition: str
    definition_version: int
    namespace: str
    attempt_count: int
    checkpoint: _payload_pb2.Payload
    traceparent: str
    tracestate: str
    lease_loss_action: _job_definition_pb2.LeaseLossAction
    def __init__(self, job_id: _Optional[bytes] = ..., attempt: _Optional[int] = ..., credit_id: _Optional[int] = ..., handler: _Optional[str] = ..., input: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., prefetch: bool = ..., run_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., definition: _Optional[str] = ..., definition_version: _Optional[int] = ..., namespace: _Optional[str] = ..., attempt_count: _Optional[int] = ..., checkpoint: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., traceparent: _Optional[str] = ..., tracestate: _Optional[str] = ..., lease_loss_action: _Optional[_Union[_job_definition_pb2.LeaseLossAction, str]] = ...) -> None: ...

class CancelNotice(_message.Message):
    __slots__ = ("job_id", "attempt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    attempt: int
    def __init__(self, job_id: _Optional[bytes] = ..., attempt: _Optional[int] = ...) -> None: ...

class SuspendNotice(_message.Message):
    __slots__ = ("job_id", "attempt", "grace")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    GRACE_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    attempt: int
    grace: _duration_pb2.Duration
    def __init__(self, job_id: _Optional[bytes] = ..., attempt: _Optional[int] = ..., grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SessionMessage(_message.Message):
    __slots__ = ("assignments", "cancels", "ping", "suspends")
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    CANCELS_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    SUSPENDS_FIELD_NUMBER: _ClassVar[int]
    assignments: _containers.RepeatedCompositeFieldContainer[Assignment]
    cancels: _containers.RepeatedCompositeFieldContainer[CancelNotice]
    ping: int
    suspends: _containers.RepeatedCompositeFieldContainer[SuspendNotice]
    def __init__(self, assignments: _Optional[_Iterable[_Union[Assignment, _Mapping]]] = ..., cancels: _Optional[_Iterable[_Union[CancelNotice, _Mapping]]] = ..., ping: _Optional[int] = ..., suspends: _Optional[_Iterable[_Union[SuspendNotice, _Mapping]]] = ...) -> None: ...
