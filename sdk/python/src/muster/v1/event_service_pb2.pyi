from muster.v1 import event_pb2 as _event_pb2
from muster.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchEventsRequest(_message.Message):
    __slots__ = ("namespace", "after_position", "states", "job_id", "kept_only")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    KEPT_ONLY_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    after_position: int
    states: _containers.RepeatedScalarFieldContainer[_job_pb2.JobState]
    job_id: str
    kept_only: bool
    def __init__(self, namespace: _Optional[str] = ..., after_position: _Optional[int] = ..., states: _Optional[_Iterable[_Union[_job_pb2.JobState, str]]] = ..., job_id: _Optional[str] = ..., kept_only: bool = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("events", "position")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.JobEvent]
    position: int
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.JobEvent, _Mapping]]] = ..., position: _Optional[int] = ...) -> None: ...
