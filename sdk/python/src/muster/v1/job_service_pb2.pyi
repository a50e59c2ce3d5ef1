import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import dependency_pb2 as _dependency_pb2
from muster.v1 import job_pb2 as _job_pb2
from muster.v1 import job_explanation_pb2 as _job_explanation_pb2
from muster.v1 import log_record_pb2 as _log_record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PausedTimeouts(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAUSED_TIMEOUTS_UNSPECIFIED: _ClassVar[PausedTimeouts]
    PAUSED_TIMEOUTS_RUN_ON: _ClassVar[PausedTimeouts]
    PAUSED_TIMEOUTS_STOP: _ClassVar[PausedTimeouts]
PAUSED_TIMEOUTS_UNSPECIFIED: PausedTimeouts
PAUSED_TIMEOUTS_RUN_ON: PausedTimeouts
PAUSED_TIMEOUTS_STOP: PausedTimeouts

class JobFilter(_message.Message):
    __slots__ = ("states", "definition", "queue", "labels", "min_create_time", "max_create_time", "failure_types", "parent_job_id", "soft_deadline_missed")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STATES_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MIN_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    MAX_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    FAILURE_TYPES_FIELD_NUMBER: _ClassVar[int]
    PARENT_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SOFT_DEADLINE_MISSED_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[_job_pb2.JobState]
    definition: str
    queue: str
    labels: _containers.ScalarMap[str, str]
    min_create_time: _timestamp_pb2.Timestamp
    max_create_time: _timestamp_pb2.Timestamp
    failure_types: _containers.RepeatedScalarFieldContainer[str]
    parent_job_id: str
    soft_deadline_missed: bool
    def __init__(self, states: _Optional[_Iterable[_Union[_job_pb2.JobState, str]]] = ..., definition: _Optional[str] = ..., queue: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., min_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., max_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failure_types: _Optional[_Iterable[str]] = ..., parent_job_id: _Optional[str] = ..., soft_deadline_missed: bool = ...) -> None: ...

class SubmitJobRequest(_message.Message):
    __slots__ = ("namespace", "job", "request_id", "batch_job_id", "parent")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job: _job_pb2.JobSubmission
    request_id: str
    batch_job_id: str
    parent: ParentAttempt
    def __init__(self, namespace: _Optional[str] = ..., job: _Optional[_Union[_job_pb2.JobSubmission, _Mapping]] = ..., request_id: _Optional[str] = ..., batch_job_id: _Optional[str] = ..., parent: _Optional[_Union[ParentAttempt, _Mapping]] = ...) -> None: ...

class ParentAttempt(_message.Message):
    __slots__ = ("job_id", "attempt", "session_id", "detached")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DETACHED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    attempt: int
    session_id: str
    detached: bool
    def __init__(self, job_id: _Optional[str] = ..., attempt: _Optional[int] = ..., session_id: _Optional[str] = ..., detached: bool = ...) -> None: ...

class SubmitJobResponse(_message.Message):
    __slots__ = ("job_id", "existing")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EXISTING_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    existing: bool
    def __init__(self, job_id: _Optional[str] = ..., existing: bool = ...) -> None: ...

class SubmitJobsRequest(_message.Message):
    __slots__ = ("namespace", "jobs", "request_id", "batch_job_id", "parent")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    jobs: _containers.RepeatedCompositeFieldContainer[_job_pb2.JobSubmission]
    request_id: str
    batch_job_id: str
    parent: ParentAttempt
    def __init__(self, namespace: _Optional[str] = ..., jobs: _Optional[_Iterable[_Union[_job_pb2.JobSubmission, _Mapping]]] = ..., request_id: _Optional[str] = ..., batch_job_id: _Optional[str] = ..., parent: _Optional[_Union[ParentAttempt, _Mapping]] = ...) -> None: ...

class SubmissionResult(_message.Message):
    __slots__ = ("job_id", "existing")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EXISTING_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    existing: bool
    def __init__(self, job_id: _Optional[str] = ..., existing: bool = ...) -> None: ...

class SubmitJobsResponse(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[SubmissionResult]
    def __init__(self, jobs: _Optional[_Iterable[_Union[SubmissionResult, _Mapping]]] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ...) -> None: ...

class GetJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class WaitJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "timeout")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    timeout: _duration_pb2.Duration
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WaitJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "reason", "request_id", "grace")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GRACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    reason: str
    request_id: str
    grace: _duration_pb2.Duration
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("namespace", "page_size", "page_token", "filter")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    page_size: int
    page_token: str
    filter: JobFilter
    def __init__(self, namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[JobFilter, _Mapping]] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs", "next_page_token")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_job_pb2.Job]
    next_page_token: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[_job_pb2.Job, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExplainJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ...) -> None: ...

class ExplainJobResponse(_message.Message):
    __slots__ = ("explanation",)
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    explanation: _job_explanation_pb2.JobExplanation
    def __init__(self, explanation: _Optional[_Union[_job_explanation_pb2.JobExplanation, _Mapping]] = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ...) -> None: ...

class WatchJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class ListAttemptLogsRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "attempt", "page_size", "page_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    attempt: int
    page_size: int
    page_token: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., attempt: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAttemptLogsResponse(_message.Message):
    __slots__ = ("records", "next_page_token", "resume_token", "ended")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_log_record_pb2.LogRecord]
    next_page_token: str
    resume_token: str
    ended: bool
    def __init__(self, records: _Optional[_Iterable[_Union[_log_record_pb2.LogRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., resume_token: _Optional[str] = ..., ended: bool = ...) -> None: ...

class WatchAttemptLogsRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "attempt", "resume_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    attempt: int
    resume_token: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., attempt: _Optional[int] = ..., resume_token: _Optional[str] = ...) -> None: ...

class WatchAttemptLogsResponse(_message.Message):
    __slots__ = ("records", "resume_token", "ended")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_log_record_pb2.LogRecord]
    resume_token: str
    ended: bool
    def __init__(self, records: _Optional[_Iterable[_Union[_log_record_pb2.LogRecord, _Mapping]]] = ..., resume_token: _Optional[str] = ..., ended: bool = ...) -> None: ...

class RetryJobsRequest(_message.Message):
    __slots__ = ("namespace", "filter", "page_token", "validate_only", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    filter: JobFilter
    page_token: str
    validate_only: bool
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., filter: _Optional[_Union[JobFilter, _Mapping]] = ..., page_token: _Optional[str] = ..., validate_only: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class RetryJobsResponse(_message.Message):
    __slots__ = ("job_ids", "retried_job_ids", "skipped_count", "next_page_token")
    JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    RETRIED_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    job_ids: _containers.RepeatedScalarFieldContainer[str]
    retried_job_ids: _containers.RepeatedScalarFieldContainer[str]
    skipped_count: int
    next_page_token: str
    def __init__(self, job_ids: _Optional[_Iterable[str]] = ..., retried_job_ids: _Optional[_Iterable[str]] = ..., skipped_count: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelJobsRequest(_message.Message):
    __slots__ = ("namespace", "filter", "reason", "page_token", "validate_only")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    filter: JobFilter
    reason: str
    page_token: str
    validate_only: bool
    def __init__(self, namespace: _Optional[str] = ..., filter: _Optional[_Union[JobFilter, _Mapping]] = ..., reason: _Optional[str] = ..., page_token: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class CancelJobsResponse(_message.Message):
    __slots__ = ("cancelled_count", "next_page_token")
    CANCELLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cancelled_count: int
    next_page_token: str
    def __init__(self, cancelled_count: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class EraseJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "reason")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    reason: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EraseJobResponse(_message.Message):
    __slots__ = ("job", "audit_id")
    JOB_FIELD_NUMBER: _ClassVar[int]
    AUDIT_ID_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    audit_id: str
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., audit_id: _Optional[str] = ...) -> None: ...

class RetryJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "request_id", "skip_steps", "reason")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SKIP_STEPS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    request_id: str
    skip_steps: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., request_id: _Optional[str] = ..., skip_steps: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class RetryJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class UpdateJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "priority", "run_time", "expire_time", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    RUN_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    priority: int
    run_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., priority: _Optional[int] = ..., run_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class PauseJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "reason", "request_id", "running", "grace", "timeouts")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    GRACE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTS_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    reason: str
    request_id: str
    running: bool
    grace: _duration_pb2.Duration
    timeouts: PausedTimeouts
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., running: bool = ..., grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., timeouts: _Optional[_Union[PausedTimeouts, str]] = ...) -> None: ...

class PauseJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class PauseJobsRequest(_message.Message):
    __slots__ = ("namespace", "filter", "reason", "running", "grace", "timeouts", "page_token", "validate_only")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    GRACE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    filter: JobFilter
    reason: str
    running: bool
    grace: _duration_pb2.Duration
    timeouts: PausedTimeouts
    page_token: str
    validate_only: bool
    def __init__(self, namespace: _Optional[str] = ..., filter: _Optional[_Union[JobFilter, _Mapping]] = ..., reason: _Optional[str] = ..., running: bool = ..., grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., timeouts: _Optional[_Union[PausedTimeouts, str]] = ..., page_token: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class PauseJobsResponse(_message.Message):
    __slots__ = ("paused_count", "next_page_token")
    PAUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    paused_count: int
    next_page_token: str
    def __init__(self, paused_count: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResumeJobsRequest(_message.Message):
    __slots__ = ("namespace", "filter", "page_token", "validate_only")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    filter: JobFilter
    page_token: str
    validate_only: bool
    def __init__(self, namespace: _Optional[str] = ..., filter: _Optional[_Union[JobFilter, _Mapping]] = ..., page_token: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class ResumeJobsResponse(_message.Message):
    __slots__ = ("resumed_count", "next_page_token")
    RESUMED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    resumed_count: int
    next_page_token: str
    def __init__(self, resumed_count: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResumeJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ResumeJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class FailJobRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "reason", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    reason: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class FailJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...

class AddDependenciesRequest(_message.Message):
    __slots__ = ("namespace", "job_id", "depends_on", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    DEPENDS_ON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    job_id: str
    depends_on: _containers.RepeatedCompositeFieldContainer[_dependency_pb2.Dependency]
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., job_id: _Optional[str] = ..., depends_on: _Optional[_Iterable[_Union[_dependency_pb2.Dependency, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class AddDependenciesResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ...) -> None: ...
