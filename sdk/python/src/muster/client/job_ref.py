"""Jobs as callers name them, and what their states mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from muster.v1 import job_pb2
from muster.v1.job_pb2 import Job, JobState, WaitReason

_PREFIX = "JOB_STATE_"
_REASON_PREFIX = "WAIT_REASON_"
_TERMINAL = frozenset(
    {
        job_pb2.JOB_STATE_SUCCEEDED,
        job_pb2.JOB_STATE_FAILED,
        job_pb2.JOB_STATE_CANCELLED,
        job_pb2.JOB_STATE_EXPIRED,
        job_pb2.JOB_STATE_SKIPPED,
    }
)


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A job as it was accepted.

    Attributes:
        job_id: The job's UUID.
        existing: Whether the job was there already: the idempotency key or the request id was in use.
    """

    job_id: str
    existing: bool


# A job's id, or what carries it.
JobRef: TypeAlias = "str | SubmittedJob | Job"


def id_of(job: JobRef) -> str:
    """Returns the id of a job."""
    return job if isinstance(job, str) else job.job_id


def is_terminal(state: int) -> bool:
    """Whether a job in this state never changes again."""
    return state in _TERMINAL


def state_name(state: int) -> str:
    """Returns the state's name, such as "RUNNING"; its number when this release does not know it."""
    known = state in JobState.values()
    return JobState.Name(state).removeprefix(_PREFIX) if known else str(state)


def wait_reason_name(reason: int) -> str:
    """Returns the reason's name, such as "NO_WORKER"; empty for none; its number when this release does not know it."""
    if reason == job_pb2.WAIT_REASON_UNSPECIFIED:
        return ""
    known = reason in WaitReason.values()
    return WaitReason.Name(reason).removeprefix(_REASON_PREFIX) if known else str(reason)


def state_number(state: str | int) -> int:
    """Returns the number of a state.

    Raises:
        ValueError: There is no state of this name.
    """
    return state if isinstance(state, int) else JobState.Value(_PREFIX + state)
