import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeadlineReaction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEADLINE_REACTION_UNSPECIFIED: _ClassVar[DeadlineReaction]
    DEADLINE_REACTION_NOTIFY: _ClassVar[DeadlineReaction]
    DEADLINE_REACTION_RAISE_PRIORITY: _ClassVar[DeadlineReaction]
    DEADLINE_REACTION_CANCEL: _ClassVar[DeadlineReaction]
DEADLINE_REACTION_UNSPECIFIED: DeadlineReaction
DEADLINE_REACTION_NOTIFY: DeadlineReaction
DEADLINE_REACTION_RAISE_PRIORITY: DeadlineReaction
DEADLINE_REACTION_CANCEL: DeadlineReaction

class SoftDeadline(_message.Message):
    __slots__ = ("after", "time", "reaction", "priority")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    after: _duration_pb2.Duration
    time: _timestamp_pb2.Timestamp
    reaction: DeadlineReaction
    priority: int
    def __init__(self, after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reaction: _Optional[_Union[DeadlineReaction, str]] = ..., priority: _Optional[int] = ...) -> None: ...
