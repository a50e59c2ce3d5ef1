import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import limit_pb2 as _limit_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Queue(_message.Message):
    __slots__ = ("namespace", "name", "paused", "max_concurrency", "create_time", "etag", "counts", "pause_reason", "description", "rate_limit", "fairness_weights", "max_backlog", "max_backlog_age")
    class FairnessWeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKLOG_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKLOG_AGE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    paused: bool
    max_concurrency: int
    create_time: _timestamp_pb2.Timestamp
    etag: str
    counts: QueueCounts
    pause_reason: str
    description: str
    rate_limit: _limit_pb2.RateLimit
    fairness_weights: _containers.ScalarMap[str, float]
    max_backlog: int
    max_backlog_age: _duration_pb2.Duration
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., paused: bool = ..., max_concurrency: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., counts: _Optional[_Union[QueueCounts, _Mapping]] = ..., pause_reason: _Optional[str] = ..., description: _Optional[str] = ..., rate_limit: _Optional[_Union[_limit_pb2.RateLimit, _Mapping]] = ..., fairness_weights: _Optional[_Mapping[str, float]] = ..., max_backlog: _Optional[int] = ..., max_backlog_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class QueueCounts(_message.Message):
    __slots__ = ("blocked", "scheduled", "ready", "paused", "leased", "waiting")
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    LEASED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    blocked: int
    scheduled: int
    ready: int
    paused: int
    leased: int
    waiting: int
    def __init__(self, blocked: _Optional[int] = ..., scheduled: _Optional[int] = ..., ready: _Optional[int] = ..., paused: _Optional[int] = ..., leased: _Optional[int] = ..., waiting: _Optional[int] = ...) -> None: ...
