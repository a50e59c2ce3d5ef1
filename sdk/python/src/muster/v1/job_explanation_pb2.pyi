import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobExplanation(_message.Message):
    __slots__ = ("job_id", "namespace", "definition", "definition_version", "queue", "state", "state_time", "summary", "constraints", "position", "position_is_lower_bound", "start_estimate", "running")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    POSITION_IS_LOWER_BOUND_FIELD_NUMBER: _ClassVar[int]
    START_ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    namespace: str
    definition: str
    definition_version: int
    queue: str
    state: _job_pb2.JobState
    state_time: _timestamp_pb2.Timestamp
    summary: str
    constraints: _containers.RepeatedCompositeFieldContainer[Constraint]
    position: int
    position_is_lower_bound: bool
    start_estimate: StartEstimate
    running: RunningAttempt
    def __init__(self, job_id: _Optional[str] = ..., namespace: _Optional[str] = ..., definition: _Optional[str] = ..., definition_version: _Optional[int] = ..., queue: _Optional[str] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., state_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., summary: _Optional[str] = ..., constraints: _Optional[_Iterable[_Union[Constraint, _Mapping]]] = ..., position: _Optional[int] = ..., position_is_lower_bound: bool = ..., start_estimate: _Optional[_Union[StartEstimate, _Mapping]] = ..., running: _Optional[_Union[RunningAttempt, _Mapping]] = ...) -> None: ...

class Constraint(_message.Message):
    __slots__ = ("reason", "message", "blockers", "blocker_count", "open_time", "next_step", "since_time")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    BLOCKERS_FIELD_NUMBER: _ClassVar[int]
    BLOCKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    reason: _job_pb2.WaitReason
    message: str
    blockers: _containers.RepeatedCompositeFieldContainer[Blocker]
    blocker_count: int
    open_time: _timestamp_pb2.Timestamp
    next_step: str
    since_time: _timestamp_pb2.Timestamp
    def __init__(self, reason: _Optional[_Union[_job_pb2.WaitReason, str]] = ..., message: _Optional[str] = ..., blockers: _Optional[_Iterable[_Union[Blocker, _Mapping]]] = ..., blocker_count: _Optional[int] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_step: _Optional[str] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Blocker(_message.Message):
    __slots__ = ("job_id", "session_id", "worker_name", "since_time")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_NAME_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    session_id: str
    worker_name: str
    since_time: _timestamp_pb2.Timestamp
    def __init__(self, job_id: _Optional[str] = ..., session_id: _Optional[str] = ..., worker_name: _Optional[str] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StartEstimate(_message.Message):
    __slots__ = ("earliest_time", "latest_time", "start_count", "window", "basis")
    EARLIEST_TIME_FIELD_NUMBER: _ClassVar[int]
    LATEST_TIME_FIELD_NUMBER: _ClassVar[int]
    START_COUNT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    earliest_time: _timestamp_pb2.Timestamp
    latest_time: _timestamp_pb2.Timestamp
    start_count: int
    window: _duration_pb2.Duration
    basis: str
    def __init__(self, earliest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_count: _Optional[int] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., basis: _Optional[str] = ...) -> None: ...

class RunningAttempt(_message.Message):
    __slots__ = ("attempt", "session_id", "worker_name", "assign_time", "beat_time", "progress")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_NAME_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_TIME_FIELD_NUMBER: _ClassVar[int]
    BEAT_TIME_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    session_id: str
    worker_name: str
    assign_time: _timestamp_pb2.Timestamp
    beat_time: _timestamp_pb2.Timestamp
    progress: _job_pb2.Progress
    def __init__(self, attempt: _Optional[int] = ..., session_id: _Optional[str] = ..., worker_name: _Optional[str] = ..., assign_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., beat_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[_job_pb2.Progress, _Mapping]] = ...) -> None: ...
