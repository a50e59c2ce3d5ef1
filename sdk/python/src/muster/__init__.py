"""Muster for Python: a client that submits jobs and a worker that runs them."""

from __future__ import annotations

from muster.client import (
    AsyncClient,
    Client,
    DefinitionOptions,
    EventPage,
    JobFilter,
    JobOptions,
    JobRef,
    Redriven,
    ScheduleOptions,
    SentSignal,
    SubmittedJob,
    TimesOptions,
    TransportRetry,
    TriggerOptions,
    all_of,
    any_of,
    is_terminal,
    job_submission,
    key_limit,
    rate_limit,
    retry_policy,
    retry_rule,
    rollout_settings,
    rollout_step,
    soft_deadline,
    state_name,
    wait_reason_name,
    when_asset,
    when_job_ends,
    when_schedule_runs,
    when_signal,
)
from muster.client.dependency_calls import after, after_asset, after_step
from muster.durations import to_duration, to_seconds
from muster.errors import (
    HandlerSuspended,
    InfrastructureError,
    JobFailedError,
    JobStopped,
    MusterError,
    NonRetryableError,
    RetryLater,
    WaitsForChildren,
)
from muster.payloads import PayloadError, decode, encode
from muster.v1.batch_pb2 import Batch
from muster.v1.event_pb2 import JobEvent
from muster.v1.job_definition_pb2 import JobDefinition
from muster.v1.job_explanation_pb2 import JobExplanation
from muster.v1.job_pb2 import Job, JobState, JobSubmission, WaitReason
from muster.v1.limit_pb2 import KeyLimit, RateLimit
from muster.v1.log_record_pb2 import LogRecord
from muster.v1.payload_pb2 import Payload
from muster.v1.placement_pb2 import Demands, Sticky, StickyMode
from muster.v1.retry_policy_pb2 import RetryPolicy, RetryRule
from muster.v1.rollout_pb2 import Rollout, RolloutSettings, RolloutState, RolloutStep
from muster.v1.schedule_pb2 import Schedule, ScheduleRun
from muster.v1.submission_rule_pb2 import Debounce, DuplicatePolicy, Throttle, Uniqueness
from muster.v1.trigger_pb2 import HeldCause, Trigger, TriggerCondition, TriggerProgress, TriggerRun
from muster.v1.workflow_run_pb2 import StepState, Workflow, WorkflowStepRun
from muster.version import VERSION
from muster.worker.job_context import JobContext
from muster.worker.progress_counts import ProgressCounts
from muster.worker.session_event import SessionEvent
from muster.worker.session_supervisor import WorkerError
from muster.worker.worker import Worker

__version__ = VERSION

__all__ = [
    "AsyncClient",
    "Batch",
    "Client",
    "Debounce",
    "DefinitionOptions",
    "Demands",
    "DuplicatePolicy",
    "EventPage",
    "HandlerSuspended",
    "HeldCause",
    "InfrastructureError",
    "Job",
    "JobContext",
    "JobDefinition",
    "JobEvent",
    "JobExplanation",
    "JobFailedError",
    "JobFilter",
    "JobOptions",
    "JobRef",
    "JobState",
    "JobStopped",
    "JobSubmission",
    "KeyLimit",
    "LogRecord",
    "MusterError",
    "NonRetryableError",
    "Payload",
    "PayloadError",
    "ProgressCounts",
    "RateLimit",
    "Redriven",
    "RetryLater",
    "RetryPolicy",
    "RetryRule",
    "Rollout",
    "RolloutSettings",
    "RolloutState",
    "RolloutStep",
    "Schedule",
    "ScheduleOptions",
    "ScheduleRun",
    "SentSignal",
    "SessionEvent",
    "StepState",
    "Sticky",
    "StickyMode",
    "SubmittedJob",
    "Throttle",
    "TimesOptions",
    "TransportRetry",
    "Trigger",
    "TriggerCondition",
    "TriggerOptions",
    "TriggerProgress",
    "TriggerRun",
    "Uniqueness",
    "WaitReason",
    "WaitsForChildren",
    "Worker",
    "WorkerError",
    "Workflow",
    "WorkflowStepRun",
    "__version__",
    "after",
    "after_asset",
    "after_step",
    "all_of",
    "any_of",
    "decode",
    "encode",
    "is_terminal",
    "job_submission",
    "key_limit",
    "rate_limit",
    "retry_policy",
    "retry_rule",
    "rollout_settings",
    "rollout_step",
    "soft_deadline",
    "state_name",
    "to_duration",
    "to_seconds",
    "wait_reason_name",
    "when_asset",
    "when_job_ends",
    "when_schedule_runs",
    "when_signal",
]
