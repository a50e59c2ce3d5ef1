import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import assignment_pb2 as _assignment_pb2
from muster.v1 import failure_pb2 as _failure_pb2
from muster.v1 import job_pb2 as _job_pb2
from muster.v1 import log_record_pb2 as _log_record_pb2
from muster.v1 import payload_pb2 as _payload_pb2
from muster.v1 import worker_pb2 as _worker_pb2
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
REPORT_RESULT_UNSPECIFIED: ReportResult
REPORT_RESULT_ACCEPTED: ReportResult
REPORT_RESULT_DUPLICATE: ReportResult
REPORT_RESULT_LEASE_LOST: ReportResult

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
    nats_credentials: NatsCredentials
    max_payload: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_id: _Optional[bytes] = ..., beat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lease: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., nats_urls: _Optional[_Iterable[str]] = ..., subject: _Optional[str] = ..., nats_credentials: _Optional[_Union[NatsCredentials, _Mapping]] = ..., max_payload: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ...) -> None: ...

class NatsCredentials(_message.Message):
    __slots__ = ("jwt", "seed", "expire_time")
    JWT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    jwt: str
    seed: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, jwt: _Optional[str] = ..., seed: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ("credit_id", "slots", "prefetch")
    CREDIT_ID_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    PREFETCH_FIELD_NUMBER: _ClassVar[int]
    credit_id: int
    slots: int
    prefetch: int
    def __init__(self, credit_id: _Optional[int] = ..., slots: _Optional[int] = ..., prefetch: _Optional[int] = ...) -> None: ...

class HeldAttempt(_message.Message):
    __slots__ = ("job_id", "attempt", "started")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    attempt: int
    started: bool
    def __init__(self, job_id: _Optional[bytes] = ..., attempt: _Optional[int] = ..., started: bool = ...) -> None: ...

class ProgressUpdate(_message.Message):
    __slots__ = ("job_id", "attempt", "sequence", "progress", "checkpoint", "run_timeout_extension", "logs")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    RUN_TIMEOUT_EXTENSION_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    attempt: int
    sequence: int
    progress: _job_pb2.Progress
    checkpoint: _payload_pb2.Payload
    run_timeout_extension: _duration_pb2.Duration
    logs: _containers.RepeatedCompositeFieldContainer[_log_record_pb2.LogRecord]
    def __init__(self, job_id: _Optional[bytes] = ..., attempt: _Optional[int] = ..., sequence: _Optional[int] = ..., progress: _Optional[_Union[_job_pb2.Progress, _Mapping]] = ..., checkpoint: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., run_timeout_extension: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., logs: _Optional[_Iterable[_Union[_log_record_pb2.LogRecord, _Mapping]]] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("session_id", "held", "credits", "voided_credit_ids", "progress", "ping_echo", "draining")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    VOIDED_CREDIT_IDS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PING_ECHO_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    held: _containers.RepeatedCompositeFieldContainer[HeldAttempt]
    credits: _containers.RepeatedCompositeFieldContainer[Credit]
    voided_credit_ids: _containers.RepeatedScalarFieldContainer[int]
    progress: _containers.RepeatedCompositeFieldContainer[ProgressUpdate]
    ping_echo: int
    draining: bool
    def __init__(self, session_id: _Optional[bytes] = ..., held: _Optional[_Iterable[_Union[HeldAttempt, _Mapping]]] = ..., credits: _Optional[_Iterable[_Union[Credit, _Mapping]]] = ..., voided_credit_ids: _Optional[_Iterable[int]] = ..., progress: _Optional[_Iterable[_Union[ProgressUpdate, _Mapping]]] = ..., ping_echo: _Optional[int] = ..., draining: bool = ...) -> None: ...

class HeartbeatResponse(_message.Message):
    __slots__ = ("assignments", "cancels", "drain", "reconnect_bus", "next_beat", "nats_credentials")
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    CANCELS_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_BUS_FIELD_NUMBER: _ClassVar[int]
    NEXT_BEAT_FIELD_NUMBER: _ClassVar[int]
    NATS_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    assignments: _containers.RepeatedCompositeFieldContainer[_assignment_pb2.Assignment]
    cancels: _containers.RepeatedCompositeFieldContainer[_assignment_pb2.CancelNotice]
    drain: bool
    reconnect_bus: bool
    next_beat: _duration_pb2.Duration
    nats_credentials: NatsCredentials
    def __init__(self, assignments: _Optional[_Iterable[_Union[_assignment_pb2.Assignment, _Mapping]]] = ..., cancels: _Optional[_Iterable[_Union[_assignment_pb2.CancelNotice, _Mapping]]] = ..., drain: bool = ..., reconnect_bus: bool = ..., next_beat: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., nats_credentials: _Optional[_Union[NatsCredentials, _Mapping]] = ...) -> None: ...

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

class ReportAttemptsRequest(_message.Message):
    __slots__ = ("session_id", "reports", "credits", "voided_credit_ids")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    VOIDED_CREDIT_IDS_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    reports: _containers.RepeatedCompositeFieldContainer[AttemptReport]
    credits: _containers.RepeatedCompositeFieldContainer[Credit]
    voided_credit_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, session_id: _Optional[bytes] = ..., reports: _Optional[_Iterable[_Union[AttemptReport, _Mapping]]] = ..., credits: _Optional[_Iterable[_Union[Credit, _Mapping]]] = ..., voided_credit_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class ReportAttemptsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedScalarFieldContainer[ReportResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ReportResult, str]]] = ...) -> None: ...

class CloseSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    def __init__(self, session_id: _Optional[bytes] = ...) -> None: ...

class CloseSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
