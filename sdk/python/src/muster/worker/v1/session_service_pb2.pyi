import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from muster.v1 import worker_pb2 as _worker_pb2
from muster.worker.v1 import assignment_pb2 as _assignment_pb2
from muster.worker.v1 import attempt_report_pb2 as _attempt_report_pb2
from muster.worker.v1 import session_pb2 as _session_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OpenSessionRequest(_message.Message):
    __slots__ = ("namespace", "worker_name", "protocol_version", "sdk", "capabilities", "handlers", "labels", "resources", "slots", "request_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ResourcesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKER_NAME_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SDK_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    HANDLERS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    worker_name: str
    protocol_version: int
    sdk: _worker_pb2.Sdk
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    handlers: _containers.RepeatedCompositeFieldContainer[_worker_pb2.Handler]
    labels: _containers.ScalarMap[str, str]
    resources: _containers.ScalarMap[str, float]
    slots: int
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., worker_name: _Optional[str] = ..., protocol_version: _Optional[int] = ..., sdk: _Optional[_Union[_worker_pb2.Sdk, _Mapping]] = ..., capabilities: _Optional[_Iterable[str]] = ..., handlers: _Optional[_Iterable[_Union[_worker_pb2.Handler, _Mapping]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., resources: _Optional[_Mapping[str, float]] = ..., slots: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class OpenSessionResponse(_message.Message):
    __slots__ = ("session_id", "beat_interval", "lease", "nats_urls", "subject", "nats_credentials", "max_payload", "capabilities")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    BEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    NATS_URLS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NATS_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    MAX_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    beat_interval: _duration_pb2.Duration
    lease: _duration_pb2.Duration
    nats_urls: _containers.RepeatedScalarFieldContainer[str]
    subject: str
    nats_credentials: _session_pb2.NatsCredentials
    max_payload: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_id: _Optional[bytes] = ..., beat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lease: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., nats_urls: _Optional[_Iterable[str]] = ..., subject: _Optional[str] = ..., nats_credentials: _Optional[_Union[_session_pb2.NatsCredentials, _Mapping]] = ..., max_payload: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ...) -> None: ...

class SendHeartbeatRequest(_message.Message):
    __slots__ = ("session_id", "held_attempts", "credits", "voided_credit_ids", "progress", "ping_echo", "draining")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    HELD_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    VOIDED_CREDIT_IDS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PING_ECHO_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    held_attempts: _containers.RepeatedCompositeFieldContainer[_session_pb2.HeldAttempt]
    credits: _containers.RepeatedCompositeFieldContainer[_session_pb2.Credit]
    voided_credit_ids: _containers.RepeatedScalarFieldContainer[int]
    progress: _containers.RepeatedCompositeFieldContainer[_session_pb2.ProgressUpdate]
    ping_echo: int
    draining: bool
    def __init__(self, session_id: _Optional[bytes] = ..., held_attempts: _Optional[_Iterable[_Union[_session_pb2.HeldAttempt, _Mapping]]] = ..., credits: _Optional[_Iterable[_Union[_session_pb2.Credit, _Mapping]]] = ..., voided_credit_ids: _Optional[_Iterable[int]] = ..., progress: _Optional[_Iterable[_Union[_session_pb2.ProgressUpdate, _Mapping]]] = ..., ping_echo: _Optional[int] = ..., draining: bool = ...) -> None: ...

class SendHeartbeatResponse(_message.Message):
    __slots__ = ("assignments", "cancels", "drain", "reconnect_bus", "next_beat", "nats_credentials", "nats_urls", "suspends")
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    CANCELS_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_BUS_FIELD_NUMBER: _ClassVar[int]
    NEXT_BEAT_FIELD_NUMBER: _ClassVar[int]
    NATS_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    NATS_URLS_FIELD_NUMBER: _ClassVar[int]
    SUSPENDS_FIELD_NUMBER: _ClassVar[int]
    assignments: _containers.RepeatedCompositeFieldContainer[_assignment_pb2.Assignment]
    cancels: _containers.RepeatedCompositeFieldContainer[_assignment_pb2.CancelNotice]
    drain: bool
    reconnect_bus: bool
    next_beat: _duration_pb2.Duration
    nats_credentials: _session_pb2.NatsCredentials
    nats_urls: _containers.RepeatedScalarFieldContainer[str]
    suspends: _containers.RepeatedCompositeFieldContainer[_assignment_pb2.SuspendNotice]
    def __init__(self, assignments: _Optional[_Iterable[_Union[_assignment_pb2.Assignment, _Mapping]]] = ..., cancels: _Optional[_Iterable[_Union[_assignment_pb2.CancelNotice, _Mapping]]] = ..., drain: bool = ..., reconnect_bus: bool = ..., next_beat: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., nats_credentials: _Optional[_Union[_session_pb2.NatsCredentials, _Mapping]] = ..., nats_urls: _Optional[_Iterable[str]] = ..., suspends: _Optional[_Iterable[_Union[_assignment_pb2.SuspendNotice, _Mapping]]] = ...) -> None: ...

class ReportAttemptsRequest(_message.Message):
    __slots__ = ("session_id", "reports", "credits", "voided_credit_ids")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    VOIDED_CREDIT_IDS_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    reports: _containers.RepeatedCompositeFieldContainer[_attempt_report_pb2.AttemptReport]
    credits: _containers.RepeatedCompositeFieldContainer[_session_pb2.Credit]
    voided_credit_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, session_id: _Optional[bytes] = ..., reports: _Optional[_Iterable[_Union[_attempt_report_pb2.AttemptReport, _Mapping]]] = ..., credits: _Optional[_Iterable[_Union[_session_pb2.Credit, _Mapping]]] = ..., voided_credit_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class ReportAttemptsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedScalarFieldContainer[_attempt_report_pb2.ReportResult]
    def __init__(self, results: _Optional[_Iterable[_Union[_attempt_report_pb2.ReportResult, str]]] = ...) -> None: ...

class CloseSessionRequest(_message.Message):
    __slots__ = ("session_id", "worker_lost")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_LOST_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    worker_lost: bool
    def __init__(self, session_id: _Optional[bytes] = ..., worker_lost: bool = ...) -> None: ...

class CloseSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
