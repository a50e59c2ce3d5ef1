"""Children of a job: its handler submits them and waits for them without holding a slot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from muster.client.job_ref import JobRef, SubmittedJob, id_of, is_terminal
from muster.client.job_steps import read_result
from muster.client.sync_client import Client
from muster.errors import WaitsForChildren
from muster.transport_retry import TransportRetry
from muster.v1.job_pb2 import Job
from muster.v1.job_service_pb2 import ParentAttempt

if TYPE_CHECKING:
    from muster.client.submission import JobOptions


# Seconds that a call is retried, so that a restart of the control plane does not fail the handler.
PATIENCE_SECONDS = 60.0
PATIENT = TransportRetry(max_attempts=1_000)


class ChildCalls:
    """The calls of a worker's handlers. The first call opens the connection.

    Args:
        connect: Opens the connection.
        session_id: Returns the UUID of the worker's session; None: it has none.
    """

    def __init__(self, connect: Callable[[], Client], session_id: Callable[[], str | None]) -> None:
        self._connect = connect
        self._session_id = session_id
        self._lock = threading.Lock()
        self._client: Client | None = None

    @property
    def session_id(self) -> str:
        """UUID of the worker's session. Empty: it has none."""
        return self._session_id() or ""

    @property
    def client(self) -> Client:
        """The client; opens the connection on first use."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def close(self) -> None:
        """Closes the connection, if there is one."""
        with self._lock:
            if self._client is not None:
                self._client.close()


def patient_client(address: str, namespace: str) -> Client:
    """Returns a client for the calls of handlers, with a connection of its own."""
    return Client(address, namespace=namespace, timeout=PATIENCE_SECONDS, retry=PATIENT)


class Children:
    """The children of one run of a handler."""

    def __init__(self, calls: ChildCalls, job_id: str, attempt: int) -> None:
        self._calls = calls
        self._job_id = job_id
        self._attempt = attempt
        self._lock = threading.Lock()
        self._submitted = 0

    def submit(
        self,
        definition: str,
        value: Any,
        *,
        key: str,
        detached: bool,
        options: JobOptions,
    ) -> SubmittedJob:
        """Submits a child, or returns the one that an earlier run has submitted."""
        parent = ParentAttempt(
            job_id=self._job_id, attempt=self._attempt, session_id=self._calls.session_id, detached=detached
        )
        options["idempotency_key"] = f"child/{self._job_id}/{key or self._next_number()}"
        options["idempotency_conflict_policy"] = "USE_EXISTING"
        return self._calls.client.submit(definition, value, parent=parent, **options)

    def ended(self, children: Sequence[JobRef]) -> list[Job]:
        """Returns the jobs of children that have all ended.

        Raises:
            WaitsForChildren: Some have not ended.
        """
        jobs = [self._calls.client.get(child) for child in children]
        still_open = [job.job_id for job in jobs if not is_terminal(job.state)]
        if still_open:
            raise WaitsForChildren(still_open)
        return jobs

    def wait(self, children: Sequence[JobRef]) -> list[Any]:
        """Like `ended`, but returns their results."""
        return [read_result(job) for job in self.ended([id_of(child) for child in children])]

    def _next_number(self) -> int:
        with self._lock:
            self._submitted += 1
            return self._submitted - 1
