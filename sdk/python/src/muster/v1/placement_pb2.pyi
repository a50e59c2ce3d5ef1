from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StickyMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STICKY_MODE_UNSPECIFIED: _ClassVar[StickyMode]
    STICKY_MODE_SOFT: _ClassVar[StickyMode]
    STICKY_MODE_HARD: _ClassVar[StickyMode]
STICKY_MODE_UNSPECIFIED: StickyMode
STICKY_MODE_SOFT: StickyMode
STICKY_MODE_HARD: StickyMode

class Demands(_message.Message):
    __slots__ = ("labels", "resources", "required", "preferred", "memory_growth")
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
    LABELS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    PREFERRED_FIELD_NUMBER: _ClassVar[int]
    MEMORY_GROWTH_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.ScalarMap[str, str]
    resources: _containers.ScalarMap[str, float]
    required: str
    preferred: str
    memory_growth: MemoryGrowth
    def __init__(self, labels: _Optional[_Mapping[str, str]] = ..., resources: _Optional[_Mapping[str, float]] = ..., required: _Optional[str] = ..., preferred: _Optional[str] = ..., memory_growth: _Optional[_Union[MemoryGrowth, _Mapping]] = ...) -> None: ...

class MemoryGrowth(_message.Message):
    __slots__ = ("factor", "max")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    factor: float
    max: float
    def __init__(self, factor: _Optional[float] = ..., max: _Optional[float] = ...) -> None: ...

class Sticky(_message.Message):
    __slots__ = ("job_id", "mode")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    mode: StickyMode
    def __init__(self, job_id: _Optional[str] = ..., mode: _Optional[_Union[StickyMode, str]] = ...) -> None: ...
