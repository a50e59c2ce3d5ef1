from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaitBody(_message.Message):
    __slots__ = ("event", "approval")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    event: EventWait
    approval: ApprovalWait
    def __init__(self, event: _Optional[_Union[EventWait, _Mapping]] = ..., approval: _Optional[_Union[ApprovalWait, _Mapping]] = ...) -> None: ...

class EventWait(_message.Message):
    __slots__ = ("name", "key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    key: str
    def __init__(self, name: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ApprovalWait(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
