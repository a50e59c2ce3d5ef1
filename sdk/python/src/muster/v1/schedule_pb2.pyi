import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from muster.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OverlapPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERLAP_POLICY_UNSPECIFIED: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_SKIP: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_BUFFER_ONE: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_BUFFER_ALL: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_CANCEL_OTHER: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_TERMINATE_OTHER: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_ALLOW_ALL: _ClassVar[OverlapPolicy]

class CatchUpPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CATCH_UP_POLICY_UNSPECIFIED: _ClassVar[CatchUpPolicy]
    CATCH_UP_POLICY_LATEST: _ClassVar[CatchUpPolicy]
    CATCH_UP_POLICY_ALL: _ClassVar[CatchUpPolicy]
    CATCH_UP_POLICY_NONE: _ClassVar[CatchUpPolicy]

class ScheduleRunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEDULE_RUN_STATE_UNSPECIFIED: _ClassVar[ScheduleRunState]
    SCHEDULE_RUN_STATE_ASKED: _ClassVar[ScheduleRunState]
    SCHEDULE_RUN_STATE_BUFFERED: _ClassVar[ScheduleRunState]
    SCHEDULE_RUN_STATE_STARTING: _ClassVar[ScheduleRunState]
    SCHEDULE_RUN_STATE_STARTED: _ClassVar[ScheduleRunState]
    SCHEDULE_RUN_STATE_SKIPPED: _ClassVar[ScheduleRunState]

class ScheduleSkipReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEDULE_SKIP_REASON_UNSPECIFIED: _ClassVar[ScheduleSkipReason]
    SCHEDULE_SKIP_REASON_OVERLAP: _ClassVar[ScheduleSkipReason]
    SCHEDULE_SKIP_REASON_BUFFER_FULL: _ClassVar[ScheduleSkipReason]
    SCHEDULE_SKIP_REASON_REPLACED: _ClassVar[ScheduleSkipReason]
    SCHEDULE_SKIP_REASON_MISSED: _ClassVar[ScheduleSkipReason]
    SCHEDULE_SKIP_REASON_PAUSED: _ClassVar[ScheduleSkipReason]
    SCHEDULE_SKIP_REASON_REFUSED: _ClassVar[ScheduleSkipReason]

class ScheduleRunCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEDULE_RUN_CAUSE_UNSPECIFIED: _ClassVar[ScheduleRunCause]
    SCHEDULE_RUN_CAUSE_TIME: _ClassVar[ScheduleRunCause]
    SCHEDULE_RUN_CAUSE_TRIGGER: _ClassVar[ScheduleRunCause]
    SCHEDULE_RUN_CAUSE_BACKFILL: _ClassVar[ScheduleRunCause]
OVERLAP_POLICY_UNSPECIFIED: OverlapPolicy
OVERLAP_POLICY_SKIP: OverlapPolicy
OVERLAP_POLICY_BUFFER_ONE: OverlapPolicy
OVERLAP_POLICY_BUFFER_ALL: OverlapPolicy
OVERLAP_POLICY_CANCEL_OTHER: OverlapPolicy
OVERLAP_POLICY_TERMINATE_OTHER: OverlapPolicy
OVERLAP_POLICY_ALLOW_ALL: OverlapPolicy
CATCH_UP_POLICY_UNSPECIFIED: CatchUpPolicy
CATCH_UP_POLICY_LATEST: CatchUpPolicy
CATCH_UP_POLICY_ALL: CatchUpPolicy
CATCH_UP_POLICY_NONE: CatchUpPolicy
SCHEDULE_RUN_STATE_UNSPECIFIED: ScheduleRunState
SCHEDULE_RUN_STATE_ASKED: ScheduleRunState
SCHEDULE_RUN_STATE_BUFFERED: ScheduleRunState
SCHEDULE_RUN_STATE_STARTING: ScheduleRunState
SCHEDULE_RUN_STATE_STARTED: ScheduleRunState
SCHEDULE_RUN_STATE_SKIPPED: ScheduleRunState
SCHEDULE_SKIP_REASON_UNSPECIFIED: ScheduleSkipReason
SCHEDULE_SKIP_REASON_OVERLAP: ScheduleSkipReason
SCHEDULE_SKIP_REASON_BUFFER_FULL: ScheduleSkipReason
SCHEDULE_SKIP_REASON_REPLACED: ScheduleSkipReason
SCHEDULE_SKIP_REASON_MISSED: ScheduleSkipReason
SCHEDULE_SKIP_REASON_PAUSED: ScheduleSkipReason
SCHEDULE_SKIP_REASON_REFUSED: ScheduleSkipReason
SCHEDULE_RUN_CAUSE_UNSPECIFIED: ScheduleRunCause
SCHEDULE_RUN_CAUSE_TIME: ScheduleRunCause
SCHEDULE_RUN_CAUSE_TRIGGER: ScheduleRunCause
SCHEDULE_RUN_CAUSE_BACKFILL: ScheduleRunCause

class Schedule(_message.Message):
    __slots__ = ("namespace", "name", "times", "job", "overlap_policy", "catch_up_policy", "catch_up_window", "pause_on_failure", "max_runs", "description", "paused", "pause_reason", "etag", "create_time", "update_time", "job_count", "next_time")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_POLICY_FIELD_NUMBER: _ClassVar[int]
    CATCH_UP_POLICY_FIELD_NUMBER: _ClassVar[int]
    CATCH_UP_WINDOW_FIELD_NUMBER: _ClassVar[int]
    PAUSE_ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    MAX_RUNS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEXT_TIME_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    times: ScheduleTimes
    job: _job_pb2.JobSubmission
    overlap_policy: OverlapPolicy
    catch_up_policy: CatchUpPolicy
    catch_up_window: _duration_pb2.Duration
    pause_on_failure: bool
    max_runs: int
    description: str
    paused: bool
    pause_reason: str
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    job_count: int
    next_time: _timestamp_pb2.Timestamp
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., times: _Optional[_Union[ScheduleTimes, _Mapping]] = ..., job: _Optional[_Union[_job_pb2.JobSubmission, _Mapping]] = ..., overlap_policy: _Optional[_Union[OverlapPolicy, str]] = ..., catch_up_policy: _Optional[_Union[CatchUpPolicy, str]] = ..., catch_up_window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., pause_on_failure: bool = ..., max_runs: _Optional[int] = ..., description: _Optional[str] = ..., paused: bool = ..., pause_reason: _Optional[str] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., job_count: _Optional[int] = ..., next_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ScheduleTimes(_message.Message):
    __slots__ = ("crons", "intervals", "calendars", "exclusions", "time_zone", "start_time", "end_time", "jitter")
    CRONS_FIELD_NUMBER: _ClassVar[int]
    INTERVALS_FIELD_NUMBER: _ClassVar[int]
    CALENDARS_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIONS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    crons: _containers.RepeatedScalarFieldContainer[str]
    intervals: _containers.RepeatedCompositeFieldContainer[ScheduleInterval]
    calendars: _containers.RepeatedCompositeFieldContainer[CalendarRule]
    exclusions: _containers.RepeatedCompositeFieldContainer[CalendarRule]
    time_zone: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    jitter: _duration_pb2.Duration
    def __init__(self, crons: _Optional[_Iterable[str]] = ..., intervals: _Optional[_Iterable[_Union[ScheduleInterval, _Mapping]]] = ..., calendars: _Optional[_Iterable[_Union[CalendarRule, _Mapping]]] = ..., exclusions: _Optional[_Iterable[_Union[CalendarRule, _Mapping]]] = ..., time_zone: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., jitter: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ScheduleInterval(_message.Message):
    __slots__ = ("every", "offset")
    EVERY_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    every: _duration_pb2.Duration
    offset: _duration_pb2.Duration
    def __init__(self, every: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CalendarRule(_message.Message):
    __slots__ = ("minute", "hour", "day_of_month", "month", "day_of_week", "year")
    MINUTE_FIELD_NUMBER: _ClassVar[int]
    HOUR_FIELD_NUMBER: _ClassVar[int]
    DAY_OF_MONTH_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    DAY_OF_WEEK_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    minute: str
    hour: str
    day_of_month: str
    month: str
    day_of_week: str
    year: str
    def __init__(self, minute: _Optional[str] = ..., hour: _Optional[str] = ..., day_of_month: _Optional[str] = ..., month: _Optional[str] = ..., day_of_week: _Optional[str] = ..., year: _Optional[str] = ...) -> None: ...

class ScheduleRun(_message.Message):
    __slots__ = ("nominal_time", "state", "job_id", "skip_reason", "message", "cause", "decide_time", "last_nominal_time", "time_count")
    NOMINAL_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SKIP_REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_NOMINAL_TIME_FIELD_NUMBER: _ClassVar[int]
    TIME_COUNT_FIELD_NUMBER: _ClassVar[int]
    nominal_time: _timestamp_pb2.Timestamp
    state: ScheduleRunState
    job_id: str
    skip_reason: ScheduleSkipReason
    message: str
    cause: ScheduleRunCause
    decide_time: _timestamp_pb2.Timestamp
    last_nominal_time: _timestamp_pb2.Timestamp
    time_count: int
    def __init__(self, nominal_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[ScheduleRunState, str]] = ..., job_id: _Optional[str] = ..., skip_reason: _Optional[_Union[ScheduleSkipReason, str]] = ..., message: _Optional[str] = ..., cause: _Optional[_Union[ScheduleRunCause, str]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_nominal_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_count: _Optional[int] = ...) -> None: ...
