import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LimitPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_POLICY_UNSPECIFIED: _ClassVar[LimitPolicy]
    LIMIT_POLICY_WAIT: _ClassVar[LimitPolicy]
    LIMIT_POLICY_REJECT_NEW: _ClassVar[LimitPolicy]
    LIMIT_POLICY_CANCEL_OLDEST: _ClassVar[LimitPolicy]
    LIMIT_POLICY_REPLACE_WAITING: _ClassVar[LimitPolicy]
LIMIT_POLICY_UNSPECIFIED: LimitPolicy
LIMIT_POLICY_WAIT: LimitPolicy
LIMIT_POLICY_REJECT_NEW: LimitPolicy
LIMIT_POLICY_CANCEL_OLDEST: LimitPolicy
LIMIT_POLICY_REPLACE_WAITING: LimitPolicy

class RateLimit(_message.Message):
    __slots__ = ("units", "period", "burst")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    units: int
    period: _duration_pb2.Duration
    burst: int
    def __init__(self, units: _Optional[int] = ..., period: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., burst: _Optional[int] = ...) -> None: ...

class KeyLimit(_message.Message):
    __slots__ = ("key", "max_concurrency", "policy", "rate_limit")
    KEY_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    key: str
    max_concurrency: int
    policy: LimitPolicy
    rate_limit: RateLimit
    def __init__(self, key: _Optional[str] = ..., max_concurrency: _Optional[int] = ..., policy: _Optional[_Union[LimitPolicy, str]] = ..., rate_limit: _Optional[_Union[RateLimit, _Mapping]] = ...) -> None: ...
