import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Batch(_message.Message):
    __slots__ = ("job", "labels", "description", "max_failed", "tolerate_failed", "callback", "sealed", "seal_time", "counts", "end_rate", "estimated_end_time", "callback_job_id", "callback_error", "retry")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    JOB_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILED_FIELD_NUMBER: _ClassVar[int]
    TOLERATE_FAILED_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    SEAL_TIME_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    END_RATE_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_END_TIME_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_ERROR_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    labels: _containers.ScalarMap[str, str]
    description: str
    max_failed: int
    tolerate_failed: bool
    callback: _job_pb2.JobSubmission
    sealed: bool
    seal_time: _timestamp_pb2.Timestamp
    counts: BatchCounts
    end_rate: float
    estimated_end_time: _timestamp_pb2.Timestamp
    callback_job_id: str
    callback_error: str
    retry: BatchRetry
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., description: _Optional[str] = ..., max_failed: _Optional[int] = ..., tolerate_failed: bool = ..., callback: _Optional[_Union[_job_pb2.JobSubmission, _Mapping]] = ..., sealed: bool = ..., seal_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Union[BatchCounts, _Mapping]] = ..., end_rate: _Optional[float] = ..., estimated_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., callback_job_id: _Optional[str] = ..., callback_error: _Optional[str] = ..., retry: _Optional[_Union[BatchRetry, _Mapping]] = ...) -> None: ...

class BatchRetry(_message.Message):
    __slots__ = ("batch_job_id", "failed_count", "remaining_count", "retried_before_count", "skipped_by_reason", "wait_message")
    class SkippedByReasonEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    BATCH_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_COUNT_FIELD_NUMBER: _ClassVar[int]
    RETRIED_BEFORE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_BY_REASON_FIELD_NUMBER: _ClassVar[int]
    WAIT_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    batch_job_id: str
    failed_count: int
    remaining_count: int
    retried_before_count: int
    skipped_by_reason: _containers.ScalarMap[str, int]
    wait_message: str
    def __init__(self, batch_job_id: _Optional[str] = ..., failed_count: _Optional[int] = ..., remaining_count: _Optional[int] = ..., retried_before_count: _Optional[int] = ..., skipped_by_reason: _Optional[_Mapping[str, int]] = ..., wait_message: _Optional[str] = ...) -> None: ...

class BatchCounts(_message.Message):
    __slots__ = ("members", "open", "succeeded", "failed", "cancelled", "expired", "skipped")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    members: int
    open: int
    succeeded: int
    failed: int
    cancelled: int
    expired: int
    skipped: int
    def __init__(self, members: _Optional[int] = ..., open: _Optional[int] = ..., succeeded: _Optional[int] = ..., failed: _Optional[int] = ..., cancelled: _Optional[int] = ..., expired: _Optional[int] = ..., skipped: _Optional[int] = ...) -> None: ...
