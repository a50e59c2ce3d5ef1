from muster.v1 import workflow_run_pb2 as _workflow_run_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetWorkflowRequest(_message.Message):
    __slots__ = ("namespace", "job_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ...) -> None: ...

class GetWorkflowResponse(_message.Message):
    __slots__ = ("workflow",)
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    workflow: _workflow_run_pb2.Workflow
    def __init__(self, workflow: _Optional[_Union[_workflow_run_pb2.Workflow, _Mapping]] = ...) -> None: ...

class ListWorkflowStepsRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "page_size", "page_token", "states")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[_workflow_run_pb2.StepState]
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_workflow_run_pb2.StepState, str]]] = ...) -> None: ...

class ListWorkflowStepsResponse(_message.Message):
    __slots__ = ("steps", "next_page_token")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[_workflow_run_pb2.WorkflowStepRun]
    next_page_token: str
    def __init__(self, steps: _Optional[_Iterable[_Union[_workflow_run_pb2.WorkflowStepRun, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SkipStepRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "step", "reason", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    step: str
    reason: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., step: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SkipStepResponse(_message.Message):
    __slots__ = ("step",)
    STEP_FIELD_NUMBER: _ClassVar[int]
    step: _workflow_run_pb2.WorkflowStepRun
    def __init__(self, step: _Optional[_Union[_workflow_run_pb2.WorkflowStepRun, _Mapping]] = ...) -> None: ...
