import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import job_pb2 as _job_pb2
from muster.v1 import log_record_pb2 as _log_record_pb2
from muster.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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
