"""The facts about a handler's job and attempt."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from muster import payloads
from muster.v1.payload_pb2 import Payload
from muster.worker.run_time import run_timeout_of
from muster.worker.v1.assignment_pb2 import Assignment

ValueT = TypeVar("ValueT")


class JobFacts:
    """The immutable facts of one attempt.

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
        """Number of the attempt. Rises strictly within a job; numbers may be skipped."""
        return self._assignment.attempt

    @property
    def attempt_count(self) -> int:
        """Earlier attempts that count towards the retry policy."""
        return self._assignment.attempt_count

    @property
    def fencing_token(self) -> int:
        """Rises with each attempt: a system that remembers the highest value can refuse an older attempt."""
        return self._assignment.attempt

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of the job: pass it to services that deduplicate."""
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
        """Run timeout of the definition, in seconds. Later extensions are not included."""
        return run_timeout_of(self._assignment)

    @property
    def last_checkpoint(self) -> Any:
        """The last checkpoint of an earlier attempt, decoded like an input. None: none."""
        if not self._assignment.HasField("checkpoint"):
            return None
        return payloads.decode(self._assignment.checkpoint)

    def last_checkpoint_as(self, as_type: type[ValueT]) -> ValueT | None:
        """Reads the last checkpoint as a type, like a typed input. None: none.

        Raises:
            PayloadError: The checkpoint does not have this type, for example one of an older version of the handler.
        """
        if not self._assignment.HasField("checkpoint"):
            return None
        return payloads.decode(self._assignment.checkpoint, as_type)
