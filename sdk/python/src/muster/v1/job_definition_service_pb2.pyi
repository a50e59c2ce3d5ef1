from muster.v1 import job_definition_pb2 as _job_definition_pb2
from muster.v1 import rollout_pb2 as _rollout_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompatibilityKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPATIBILITY_KIND_UNSPECIFIED: _ClassVar[CompatibilityKind]
    COMPATIBILITY_KIND_NO_WORKER: _ClassVar[CompatibilityKind]
    COMPATIBILITY_KIND_WORKER_EXCLUDES_VERSION: _ClassVar[CompatibilityKind]
    COMPATIBILITY_KIND_JOBS_IN_FLIGHT: _ClassVar[CompatibilityKind]
    COMPATIBILITY_KIND_INPUT_SCHEMA_NARROWED: _ClassVar[CompatibilityKind]
    COMPATIBILITY_KIND_OUTPUT_SCHEMA_WIDENED: _ClassVar[CompatibilityKind]
    COMPATIBILITY_KIND_PLACEMENT_CHANGED: _ClassVar[CompatibilityKind]
COMPATIBILITY_KIND_UNSPECIFIED: CompatibilityKind
COMPATIBILITY_KIND_NO_WORKER: CompatibilityKind
COMPATIBILITY_KIND_WORKER_EXCLUDES_VERSION: CompatibilityKind
COMPATIBILITY_KIND_JOBS_IN_FLIGHT: CompatibilityKind
COMPATIBILITY_KIND_INPUT_SCHEMA_NARROWED: CompatibilityKind
COMPATIBILITY_KIND_OUTPUT_SCHEMA_WIDENED: CompatibilityKind
COMPATIBILITY_KIND_PLACEMENT_CHANGED: CompatibilityKind

class ApplyJobDefinitionRequest(_message.Message):
    __slots__ = ("definition", "request_id", "validate_only", "rollout")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    definition: _job_definition_pb2.JobDefinition
    request_id: str
    validate_only: bool
    rollout: _rollout_pb2.RolloutSettings
    def __init__(self, definition: _Optional[_Union[_job_definition_pb2.JobDefinition, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ..., rollout: _Optional[_Union[_rollout_pb2.RolloutSettings, _Mapping]] = ...) -> None: ...

class ApplyJobDefinitionResponse(_message.Message):
    __slots__ = ("definition", "created", "differences", "issues", "rollout")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    definition: _job_definition_pb2.JobDefinition
    created: bool
    differences: _containers.RepeatedCompositeFieldContainer[FieldDifference]
    issues: _containers.RepeatedCompositeFieldContainer[CompatibilityIssue]
    rollout: _rollout_pb2.Rollout
    def __init__(self, definition: _Optional[_Union[_job_definition_pb2.JobDefinition, _Mapping]] = ..., created: bool = ..., differences: _Optional[_Iterable[_Union[FieldDifference, _Mapping]]] = ..., issues: _Optional[_Iterable[_Union[CompatibilityIssue, _Mapping]]] = ..., rollout: _Optional[_Union[_rollout_pb2.Rollout, _Mapping]] = ...) -> None: ...

class FieldDifference(_message.Message):
    __slots__ = ("path", "before", "after")
    PATH_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    path: str
    before: str
    after: str
    def __init__(self, path: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class CompatibilityIssue(_message.Message):
    __slots__ = ("kind", "message", "subjects")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    kind: CompatibilityKind
    message: str
    subjects: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[_Union[CompatibilityKind, str]] = ..., message: _Optional[str] = ..., subjects: _Optional[_Iterable[str]] = ...) -> None: ...

class GetJobDefinitionRequest(_message.Message):
    __slots__ = ("namespace", "name", "version")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    version: int
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetJobDefinitionResponse(_message.Message):
    __slots__ = ("definition",)
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    definition: _job_definition_pb2.JobDefinition
    def __init__(self, definition: _Optional[_Union[_job_definition_pb2.JobDefinition, _Mapping]] = ...) -> None: ...

class ListJobDefinitionsRequest(_message.Message):
    __slots__ = ("namespace", "page_size", "page_token", "show_archived")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SHOW_ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    page_size: int
    page_token: str
    show_archived: bool
    def __init__(self, namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., show_archived: bool = ...) -> None: ...

class ListJobDefinitionsResponse(_message.Message):
    __slots__ = ("definitions", "next_page_token")
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    definitions: _containers.RepeatedCompositeFieldContainer[_job_definition_pb2.JobDefinition]
    next_page_token: str
    def __init__(self, definitions: _Optional[_Iterable[_Union[_job_definition_pb2.JobDefinition, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ArchiveJobDefinitionRequest(_message.Message):
    __slots__ = ("namespace", "name", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ArchiveJobDefinitionResponse(_message.Message):
    __slots__ = ("definition",)
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    definition: _job_definition_pb2.JobDefinition
    def __init__(self, definition: _Optional[_Union[_job_definition_pb2.JobDefinition, _Mapping]] = ...) -> None: ...
