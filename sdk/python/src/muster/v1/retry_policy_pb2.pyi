import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Backoff(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BACKOFF_UNSPECIFIED: _ClassVar[Backoff]
    BACKOFF_EXPONENTIAL: _ClassVar[Backoff]
    BACKOFF_LINEAR: _ClassVar[Backoff]
    BACKOFF_CONSTANT: _ClassVar[Backoff]
    BACKOFF_LIST: _ClassVar[Backoff]

class Jitter(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JITTER_UNSPECIFIED: _ClassVar[Jitter]
    JITTER_FULL: _ClassVar[Jitter]
    JITTER_NONE: _ClassVar[Jitter]

class RetryCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RETRY_CAUSE_UNSPECIFIED: _ClassVar[RetryCause]
    RETRY_CAUSE_APPLICATION: _ClassVar[RetryCause]
    RETRY_CAUSE_TIMEOUT: _ClassVar[RetryCause]
    RETRY_CAUSE_LOST_WORKER: _ClassVar[RetryCause]
    RETRY_CAUSE_INFRASTRUCTURE: _ClassVar[RetryCause]

class RetryAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RETRY_ACTION_UNSPECIFIED: _ClassVar[RetryAction]
    RETRY_ACTION_RETRY: _ClassVar[RetryAction]
    RETRY_ACTION_FAIL: _ClassVar[RetryAction]
    RETRY_ACTION_IGNORE: _ClassVar[RetryAction]
    RETRY_ACTION_PAUSE: _ClassVar[RetryAction]

class ExhaustionAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXHAUSTION_ACTION_UNSPECIFIED: _ClassVar[ExhaustionAction]
    EXHAUSTION_ACTION_FAIL: _ClassVar[ExhaustionAction]
    EXHAUSTION_ACTION_PAUSE: _ClassVar[ExhaustionAction]
BACKOFF_UNSPECIFIED: Backoff
BACKOFF_EXPONENTIAL: Backoff
BACKOFF_LINEAR: Backoff
BACKOFF_CONSTANT: Backoff
BACKOFF_LIST: Backoff
JITTER_UNSPECIFIED: Jitter
JITTER_FULL: Jitter
JITTER_NONE: Jitter
RETRY_CAUSE_UNSPECIFIED: RetryCause
RETRY_CAUSE_APPLICATION: RetryCause
RETRY_CAUSE_TIMEOUT: RetryCause
RETRY_CAUSE_LOST_WORKER: RetryCause
RETRY_CAUSE_INFRASTRUCTURE: RetryCause
RETRY_ACTION_UNSPECIFIED: RetryAction
RETRY_ACTION_RETRY: RetryAction
RETRY_ACTION_FAIL: RetryAction
RETRY_ACTION_IGNORE: RetryAction
RETRY_ACTION_PAUSE: RetryAction
EXHAUSTION_ACTION_UNSPECIFIED: ExhaustionAction
EXHAUSTION_ACTION_FAIL: ExhaustionAction
EXHAUSTION_ACTION_PAUSE: ExhaustionAction

class RetryRule(_message.Message):
    __slots__ = ("types", "exit_codes", "causes", "action", "delay")
    TYPES_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODES_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    types: _containers.RepeatedScalarFieldContainer[str]
    exit_codes: _containers.RepeatedScalarFieldContainer[int]
    causes: _containers.RepeatedScalarFieldContainer[RetryCause]
    action: RetryAction
    delay: _duration_pb2.Duration
    def __init__(self, types: _Optional[_Iterable[str]] = ..., exit_codes: _Optional[_Iterable[int]] = ..., causes: _Optional[_Iterable[_Union[RetryCause, str]]] = ..., action: _Optional[_Union[RetryAction, str]] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CauseLimits(_message.Message):
    __slots__ = ("application", "timeout", "lost_worker", "infrastructure")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    LOST_WORKER_FIELD_NUMBER: _ClassVar[int]
    INFRASTRUCTURE_FIELD_NUMBER: _ClassVar[int]
    application: int
    timeout: int
    lost_worker: int
    infrastructure: int
    def __init__(self, application: _Optional[int] = ..., timeout: _Optional[int] = ..., lost_worker: _Optional[int] = ..., infrastructure: _Optional[int] = ...) -> None: ...

class RetryPolicy(_message.Message):
    __slots__ = ("max_attempts", "min_backoff", "max_backoff", "multiplier", "max_retry_duration", "non_retryable_types", "backoff", "jitter", "delays", "rules", "limits", "on_exhaustion")
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MIN_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    MAX_RETRY_DURATION_FIELD_NUMBER: _ClassVar[int]
    NON_RETRYABLE_TYPES_FIELD_NUMBER: _ClassVar[int]
    BACKOFF_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    DELAYS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ON_EXHAUSTION_FIELD_NUMBER: _ClassVar[int]
    max_attempts: int
    min_backoff: _duration_pb2.Duration
    max_backoff: _duration_pb2.Duration
    multiplier: float
    max_retry_duration: _duration_pb2.Duration
    non_retryable_types: _containers.RepeatedScalarFieldContainer[str]
    backoff: Backoff
    jitter: Jitter
    delays: _containers.RepeatedCompositeFieldContainer[_duration_pb2.Duration]
    rules: _containers.RepeatedCompositeFieldContainer[RetryRule]
    limits: CauseLimits
    on_exhaustion: ExhaustionAction
    def __init__(self, max_attempts: _Optional[int] = ..., min_backoff: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_backoff: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., multiplier: _Optional[float] = ..., max_retry_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., non_retryable_types: _Optional[_Iterable[str]] = ..., backoff: _Optional[_Union[Backoff, str]] = ..., jitter: _Optional[_Union[Jitter, str]] = ..., delays: _Optional[_Iterable[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[RetryRule, _Mapping]]] = ..., limits: _Optional[_Union[CauseLimits, _Mapping]] = ..., on_exhaustion: _Optional[_Union[ExhaustionAction, str]] = ...) -> None: ...

class RetryBudget(_message.Message):
    __slots__ = ("ratio", "min_per_minute")
    RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    ratio: float
    min_per_minute: int
    def __init__(self, ratio: _Optional[float] = ..., min_per_minute: _Optional[int] = ...) -> None: ...
