"""References to jobs, and names of their states."""

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
    """A submitted job.

    Attributes:
        job_id: The job's UUID.
        existing: True when the job existed already: its idempotency key or request id was in use.
    """

    job_id: str
    existing: bool


# A job's id, or an object that has it.
JobRef: TypeAlias = "str | SubmittedJob | Job"


def id_of(job: JobRef) -> str:
    """Returns the id of a job."""
    return job if isinstance(job, str) else job.job_id


def is_terminal(state: int) -> bool:
    """Whether a job in this state never changes again."""
    return state in _TERMINAL


def state_name(state: int) -> str:
    """Returns the state's name, such as "RUNNING". A state that this release does not know is given as its number."""
    known = state in JobState.values()
    return JobState.Name(state).removeprefix(_PREFIX) if known else str(state)


def wait_reason_name(reason: int) -> str:
    """Returns the reason's name, such as "NO_WORKER"; for an unknown reason its number, for none an empty string."""
    if reason == job_pb2.WAIT_REASON_UNSPECIFIED:
        return ""
    known = reason in WaitReason.values()
    return WaitReason.Name(reason).removeprefix(_REASON_PREFIX) if known else str(reason)


def state_number(state: str | int) -> int:
    """Returns the number of a state.

    Raises:
        ValueError: No state has this name.
    """
    return state if isinstance(state, int) else JobState.Value(_PREFIX + state)
