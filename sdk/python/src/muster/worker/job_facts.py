"""What a handler works on: which job, which attempt, with what."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from muster import payloads
from muster.v1.assignment_pb2 import Assignment
from muster.v1.payload_pb2 import Payload
from muster.worker.run_time import run_timeout_of

ValueT = TypeVar("ValueT")


class JobFacts:
    """The facts of one attempt; they never change.

    Attributes:
        input: The input, byte for byte.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.input: Payload = assignment.input
        self._assignment = assignment

    @property
    def job_id(self) -> str:
        """The job's UUID."""
        return str(uuid.UUID(bytes=self._assignment.job_id))

    @property
    def attempt(self) -> int:
        """Number of the attempt; rises strictly within a job and may skip."""
        return self._assignment.attempt

    @property
    def attempts_counted(self) -> int:
        """Attempts that counted before this one."""
        return self._assignment.attempts_counted

    @property
    def fencing_token(self) -> int:
        """A number that is higher for a later attempt: systems that it is passed to can refuse an older one."""
        return self._assignment.attempt

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of the job: systems that it is passed to can keep duplicates out."""
        return self.job_id

    @property
    def namespace(self) -> str:
        """The job's namespace."""
        return self._assignment.namespace

    @property
    def definition(self) -> str:
        """Name of the definition."""
        return self._assignment.definition

    @property
    def definition_version(self) -> int:
        """Version of the definition."""
        return self._assignment.definition_version

    @property
    def run_timeout(self) -> float:
        """Seconds that the handler may run, as its definition says; what it asks for later is not in it."""
        return run_timeout_of(self._assignment)

    @property
    def last_checkpoint(self) -> Any:
        """The last checkpoint of an earlier attempt, decoded as an input is. None: there is none."""
        if not self._assignment.HasField("checkpoint"):
            return None
        return payloads.decode(self._assignment.checkpoint)

    def last_checkpoint_as(self, as_type: type[ValueT]) -> ValueT | None:
        """Reads the last checkpoint as a type, as a typed input is read. None: there is none.

        Raises:
            PayloadError: It is none of that type, as one of an older version of the handler may be.
        """
        if not self._assignment.HasField("checkpoint"):
            return None
        return payloads.decode(self._assignment.checkpoint, as_type)
