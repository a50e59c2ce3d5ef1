from muster.v1 import circuit_breaker_pb2 as _circuit_breaker_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListCircuitBreakersRequest(_message.Message):
    __slots__ = ("namespace", "page_size", "page_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    page_size: int
    page_token: str
    def __init__(self, namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCircuitBreakersResponse(_message.Message):
    __slots__ = ("circuit_breakers", "next_page_token")
    CIRCUIT_BREAKERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    circuit_breakers: _containers.RepeatedCompositeFieldContainer[_circuit_breaker_pb2.CircuitBreakerStatus]
    next_page_token: str
    def __init__(self, circuit_breakers: _Optional[_Iterable[_Union[_circuit_breaker_pb2.CircuitBreakerStatus, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CloseCircuitBreakerRequest(_message.Message):
    __slots__ = ("namespace", "name", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CloseCircuitBreakerResponse(_message.Message):
    __slots__ = ("circuit_breaker",)
    CIRCUIT_BREAKER_FIELD_NUMBER: _ClassVar[int]
    circuit_breaker: _circuit_breaker_pb2.CircuitBreakerStatus
    def __init__(self, circuit_breaker: _Optional[_Union[_circuit_breaker_pb2.CircuitBreakerStatus, _Mapping]] = ...) -> None: ...
