import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from muster.v1 import dependency_pb2 as _dependency_pb2
from muster.v1 import placement_pb2 as _placement_pb2
from muster.v1 import retry_policy_pb2 as _retry_policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TriggerRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRIGGER_RULE_UNSPECIFIED: _ClassVar[TriggerRule]
    TRIGGER_RULE_ALL_SUCCESS: _ClassVar[TriggerRule]
    TRIGGER_RULE_ALL_FAILED: _ClassVar[TriggerRule]
    TRIGGER_RULE_ALL_DONE: _ClassVar[TriggerRule]
    TRIGGER_RULE_ALL_DONE_MIN_ONE_SUCCESS: _ClassVar[TriggerRule]
    TRIGGER_RULE_ALL_SKIPPED: _ClassVar[TriggerRule]
    TRIGGER_RULE_ONE_SUCCESS: _ClassVar[TriggerRule]
    TRIGGER_RULE_ONE_FAILED: _ClassVar[TriggerRule]
    TRIGGER_RULE_ONE_DONE: _ClassVar[TriggerRule]
    TRIGGER_RULE_NONE_FAILED: _ClassVar[TriggerRule]
    TRIGGER_RULE_NONE_FAILED_MIN_ONE_SUCCESS: _ClassVar[TriggerRule]
    TRIGGER_RULE_NONE_SKIPPED: _ClassVar[TriggerRule]
    TRIGGER_RULE_ALWAYS: _ClassVar[TriggerRule]
    TRIGGER_RULE_ALL_DONE_SETUP_SUCCESS: _ClassVar[TriggerRule]

class StepRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_ROLE_UNSPECIFIED: _ClassVar[StepRole]
    STEP_ROLE_NORMAL: _ClassVar[StepRole]
    STEP_ROLE_ON_FAILURE: _ClassVar[StepRole]
    STEP_ROLE_FINALLY: _ClassVar[StepRole]

class FailureMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_MODE_UNSPECIFIED: _ClassVar[FailureMode]
    FAILURE_MODE_FAIL_FAST: _ClassVar[FailureMode]
    FAILURE_MODE_RUN_BRANCHES: _ClassVar[FailureMode]
TRIGGER_RULE_UNSPECIFIED: TriggerRule
TRIGGER_RULE_ALL_SUCCESS: TriggerRule
TRIGGER_RULE_ALL_FAILED: TriggerRule
TRIGGER_RULE_ALL_DONE: TriggerRule
TRIGGER_RULE_ALL_DONE_MIN_ONE_SUCCESS: TriggerRule
TRIGGER_RULE_ALL_SKIPPED: TriggerRule
TRIGGER_RULE_ONE_SUCCESS: TriggerRule
TRIGGER_RULE_ONE_FAILED: TriggerRule
TRIGGER_RULE_ONE_DONE: TriggerRule
TRIGGER_RULE_NONE_FAILED: TriggerRule
TRIGGER_RULE_NONE_FAILED_MIN_ONE_SUCCESS: TriggerRule
TRIGGER_RULE_NONE_SKIPPED: TriggerRule
TRIGGER_RULE_ALWAYS: TriggerRule
TRIGGER_RULE_ALL_DONE_SETUP_SUCCESS: TriggerRule
STEP_ROLE_UNSPECIFIED: StepRole
STEP_ROLE_NORMAL: StepRole
STEP_ROLE_ON_FAILURE: StepRole
STEP_ROLE_FINALLY: StepRole
FAILURE_MODE_UNSPECIFIED: FailureMode
FAILURE_MODE_FAIL_FAST: FailureMode
FAILURE_MODE_RUN_BRANCHES: FailureMode

class WorkflowBody(_message.Message):
    __slots__ = ("steps", "output", "failure_mode")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_MODE_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[WorkflowStep]
    output: str
    failure_mode: FailureMode
    def __init__(self, steps: _Optional[_Iterable[_Union[WorkflowStep, _Mapping]]] = ..., output: _Optional[str] = ..., failure_mode: _Optional[_Union[FailureMode, str]] = ...) -> None: ...

class WorkflowStep(_message.Message):
    __slots__ = ("name", "definition", "needs", "definition_version", "trigger_rule", "condition", "input", "fan_out", "loop", "role", "overrides", "compensation", "cache", "depends_on", "needs_prefixes", "counts_items")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_RULE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    FAN_OUT_FIELD_NUMBER: _ClassVar[int]
    LOOP_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    COMPENSATION_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    DEPENDS_ON_FIELD_NUMBER: _ClassVar[int]
    NEEDS_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_ITEMS_FIELD_NUMBER: _ClassVar[int]
    name: str
    definition: str
    needs: _containers.RepeatedScalarFieldContainer[str]
    definition_version: int
    trigger_rule: TriggerRule
    condition: str
    input: str
    fan_out: FanOut
    loop: Loop
    role: StepRole
    overrides: StepOverrides
    compensation: Compensation
    cache: StepCache
    depends_on: _containers.RepeatedCompositeFieldContainer[DependencyExpression]
    needs_prefixes: _containers.RepeatedScalarFieldContainer[str]
    counts_items: bool
    def __init__(self, name: _Optional[str] = ..., definition: _Optional[str] = ..., needs: _Optional[_Iterable[str]] = ..., definition_version: _Optional[int] = ..., trigger_rule: _Optional[_Union[TriggerRule, str]] = ..., condition: _Optional[str] = ..., input: _Optional[str] = ..., fan_out: _Optional[_Union[FanOut, _Mapping]] = ..., loop: _Optional[_Union[Loop, _Mapping]] = ..., role: _Optional[_Union[StepRole, str]] = ..., overrides: _Optional[_Union[StepOverrides, _Mapping]] = ..., compensation: _Optional[_Union[Compensation, _Mapping]] = ..., cache: _Optional[_Union[StepCache, _Mapping]] = ..., depends_on: _Optional[_Iterable[_Union[DependencyExpression, _Mapping]]] = ..., needs_prefixes: _Optional[_Iterable[str]] = ..., counts_items: bool = ...) -> None: ...

class DependencyExpression(_message.Message):
    __slots__ = ("job_id", "step", "asset", "condition")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    step: StepRefExpression
    asset: str
    condition: _dependency_pb2.DependencyCondition
    def __init__(self, job_id: _Optional[str] = ..., step: _Optional[_Union[StepRefExpression, _Mapping]] = ..., asset: _Optional[str] = ..., condition: _Optional[_Union[_dependency_pb2.DependencyCondition, str]] = ...) -> None: ...

class StepRefExpression(_message.Message):
    __slots__ = ("workflow_job_id", "step")
    WORKFLOW_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    workflow_job_id: str
    step: str
    def __init__(self, workflow_job_id: _Optional[str] = ..., step: _Optional[str] = ...) -> None: ...

class StepCache(_message.Message):
    __slots__ = ("max_age", "key")
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    max_age: _duration_pb2.Duration
    key: str
    def __init__(self, max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class Compensation(_message.Message):
    __slots__ = ("definition", "definition_version", "input")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    definition: str
    definition_version: int
    input: str
    def __init__(self, definition: _Optional[str] = ..., definition_version: _Optional[int] = ..., input: _Optional[str] = ...) -> None: ...

class StepOverrides(_message.Message):
    __slots__ = ("queue", "priority", "retry_policy", "run_timeout", "demands", "expire_after", "delay")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    RETRY_POLICY_FIELD_NUMBER: _ClassVar[int]
    RUN_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DEMANDS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_AFTER_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    queue: str
    priority: int
    retry_policy: _retry_policy_pb2.RetryPolicy
    run_timeout: _duration_pb2.Duration
    demands: _placement_pb2.Demands
    expire_after: _duration_pb2.Duration
    delay: _duration_pb2.Duration
    def __init__(self, queue: _Optional[str] = ..., priority: _Optional[int] = ..., retry_policy: _Optional[_Union[_retry_policy_pb2.RetryPolicy, _Mapping]] = ..., run_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., demands: _Optional[_Union[_placement_pb2.Demands, _Mapping]] = ..., expire_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class FanOut(_message.Message):
    __slots__ = ("items", "max_parallel", "max_failed", "success_policy")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILED_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    items: str
    max_parallel: int
    max_failed: int
    success_policy: _containers.RepeatedCompositeFieldContainer[SuccessRule]
    def __init__(self, items: _Optional[str] = ..., max_parallel: _Optional[int] = ..., max_failed: _Optional[int] = ..., success_policy: _Optional[_Iterable[_Union[SuccessRule, _Mapping]]] = ...) -> None: ...

class SuccessRule(_message.Message):
    __slots__ = ("indexes", "count")
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    indexes: str
    count: int
    def __init__(self, indexes: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class Loop(_message.Message):
    __slots__ = ("repeat_condition", "max_iterations")
    REPEAT_CONDITION_FIELD_NUMBER: _ClassVar[int]
    MAX_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    repeat_condition: str
    max_iterations: int
    def __init__(self, repeat_condition: _Optional[str] = ..., max_iterations: _Optional[int] = ...) -> None: ...
