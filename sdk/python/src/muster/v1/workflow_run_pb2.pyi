import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import job_pb2 as _job_pb2
from muster.v1 import workflow_pb2 as _workflow_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkflowPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKFLOW_PHASE_UNSPECIFIED: _ClassVar[WorkflowPhase]
    WORKFLOW_PHASE_WORK: _ClassVar[WorkflowPhase]
    WORKFLOW_PHASE_ON_FAILURE: _ClassVar[WorkflowPhase]
    WORKFLOW_PHASE_FINALLY: _ClassVar[WorkflowPhase]
    WORKFLOW_PHASE_COMPENSATION: _ClassVar[WorkflowPhase]

class StepState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_STATE_UNSPECIFIED: _ClassVar[StepState]
    STEP_STATE_WAITING: _ClassVar[StepState]
    STEP_STATE_RUNNING: _ClassVar[StepState]
    STEP_STATE_SUCCEEDED: _ClassVar[StepState]
    STEP_STATE_FAILED: _ClassVar[StepState]
    STEP_STATE_UPSTREAM_FAILED: _ClassVar[StepState]
    STEP_STATE_SKIPPED: _ClassVar[StepState]
WORKFLOW_PHASE_UNSPECIFIED: WorkflowPhase
WORKFLOW_PHASE_WORK: WorkflowPhase
WORKFLOW_PHASE_ON_FAILURE: WorkflowPhase
WORKFLOW_PHASE_FINALLY: WorkflowPhase
WORKFLOW_PHASE_COMPENSATION: WorkflowPhase
STEP_STATE_UNSPECIFIED: StepState
STEP_STATE_WAITING: StepState
STEP_STATE_RUNNING: StepState
STEP_STATE_SUCCEEDED: StepState
STEP_STATE_FAILED: StepState
STEP_STATE_UPSTREAM_FAILED: StepState
STEP_STATE_SKIPPED: StepState

class Workflow(_message.Message):
    __slots__ = ("job", "phase", "step_count", "waiting_count", "running_count", "succeeded_count", "failed_count", "upstream_failed_count", "skipped_count", "progress", "estimated_end_time", "cached_count")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_END_TIME_FIELD_NUMBER: _ClassVar[int]
    CACHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    phase: WorkflowPhase
    step_count: int
    waiting_count: int
    running_count: int
    succeeded_count: int
    failed_count: int
    upstream_failed_count: int
    skipped_count: int
    progress: float
    estimated_end_time: _timestamp_pb2.Timestamp
    cached_count: int
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., phase: _Optional[_Union[WorkflowPhase, str]] = ..., step_count: _Optional[int] = ..., waiting_count: _Optional[int] = ..., running_count: _Optional[int] = ..., succeeded_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., upstream_failed_count: _Optional[int] = ..., skipped_count: _Optional[int] = ..., progress: _Optional[float] = ..., estimated_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cached_count: _Optional[int] = ...) -> None: ...

class WorkflowStepRun(_message.Message):
    __slots__ = ("name", "number", "state", "reason", "job_id", "iteration_count", "fan_out", "needs", "role", "definition", "start_time", "end_time", "compensation", "cached", "needs_prefixes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ITERATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAN_OUT_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPENSATION_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    NEEDS_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    state: StepState
    reason: str
    job_id: str
    iteration_count: int
    fan_out: FanOutProgress
    needs: _containers.RepeatedScalarFieldContainer[str]
    role: _workflow_pb2.StepRole
    definition: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    compensation: CompensationRun
    cached: bool
    needs_prefixes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., state: _Optional[_Union[StepState, str]] = ..., reason: _Optional[str] = ..., job_id: _Optional[str] = ..., iteration_count: _Optional[int] = ..., fan_out: _Optional[_Union[FanOutProgress, _Mapping]] = ..., needs: _Optional[_Iterable[str]] = ..., role: _Optional[_Union[_workflow_pb2.StepRole, str]] = ..., definition: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., compensation: _Optional[_Union[CompensationRun, _Mapping]] = ..., cached: bool = ..., needs_prefixes: _Optional[_Iterable[str]] = ...) -> None: ...

class CompensationRun(_message.Message):
    __slots__ = ("state", "job_id", "reason", "definition", "start_time", "end_time")
    STATE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    state: StepState
    job_id: str
    reason: str
    definition: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, state: _Optional[_Union[StepState, str]] = ..., job_id: _Optional[str] = ..., reason: _Optional[str] = ..., definition: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FanOutProgress(_message.Message):
    __slots__ = ("item_count", "started_count", "succeeded_count", "failed_count", "max_parallel")
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    STARTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_FIELD_NUMBER: _ClassVar[int]
    item_count: int
    started_count: int
    succeeded_count: int
    failed_count: int
    max_parallel: int
    def __init__(self, item_count: _Optional[int] = ..., started_count: _Optional[int] = ..., succeeded_count: _Optional[int] = ..., failed_count: _Optional[int] = ..., max_parallel: _Optional[int] = ...) -> None: ...
