from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaitBody(_message.Message):
    __slots__ = ("signal", "approval")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    signal: SignalWait
    approval: ApprovalWait
    def __init__(self, signal: _Optional[_Union[SignalWait, _Mapping]] = ..., approval: _Optional[_Union[ApprovalWait, _Mapping]] = ...) -> None: ...

class SignalWait(_message.Message):
    __slots__ = ("name", "key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    key: str
    def __init__(self, name: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ApprovalWait(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
