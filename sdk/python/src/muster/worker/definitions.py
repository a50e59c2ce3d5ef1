"""The definitions that a worker applies when it starts."""

from __future__ import annotations

import logging
import random
import threading

import grpc

from muster.client.call import new_id
from muster.client.definition import DefinitionOptions, definition_message
from muster.client.sync_client import Client
from muster.errors import MusterError
from muster.transport_retry import TransportRetry
from muster.v1.job_definition_pb2 import JobDefinition
from muster.v1.rollout_pb2 import RolloutSettings
from muster.worker.backoff import Backoff
from muster.worker.session_calls import OPEN_DEADLINE_SECONDS, OPEN_FIRST_RETRY_SECONDS, OPEN_LAST_RETRY_SECONDS

# The loop here repeats the calls, so that it can end between two of them.
_ONCE = TransportRetry(max_attempts=1)
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

_logger = logging.getLogger("muster.session")


class WorkerDefinitions:
    """Collects definitions, and applies them once, in the order of their addition.

    Args:
        address: gRPC target of the control plane.
        namespace: Namespace of the worker. Empty: "default".
    """

    def __init__(self, address: str, namespace: str) -> None:
        self._address = address
        self._namespace = namespace
        self._wanted: dict[str, tuple[JobDefinition, RolloutSettings | None]] = {}
        self._stop_wanted = threading.Event()

    def add(self, name: str, rollout: RolloutSettings | None, options: DefinitionOptions) -> None:
        """Adds a definition; see `Worker.define`."""
        if name in self._wanted:
            raise ValueError(f"the worker has a definition named {name!r} already")
        definition = definition_message(name, self._namespace, options)
        definition.namespace = self._namespace  # also of a message that was read from another namespace
        self._wanted[name] = definition, rollout

    def apply(self) -> None:
        """Applies all definitions. While the control plane can't be reached, it waits; `stop` ends the wait.

        Raises:
            MusterError: The control plane refuses a definition; those before it are applied.
        """
        if not self._wanted:
            return
        with Client(self._address, namespace=self._namespace, timeout=OPEN_DEADLINE_SECONDS, retry=_ONCE) as client:
            for name, (definition, rollout) in self._wanted.items():
                self._apply(client, name, definition, rollout)

    def stop(self) -> None:
        """Asks `apply` to return, whether all are applied or not."""
        self._stop_wanted.set()

    def _apply(self, client: Client, name: str, definition: JobDefinition, rollout: RolloutSettings | None) -> None:
        backoff = Backoff(OPEN_FIRST_RETRY_SECONDS, OPEN_LAST_RETRY_SECONDS, random.random)
        request_id = new_id("")
        while not self._stop_wanted.is_set():
            try:
                client.apply_definition(name, definition=definition, rollout=rollout, request_id=request_id)
            except MusterError as error:
                if not _is_passing(error):
                    raise _refusal_of(name, error) from error
                _logger.warning("applying the definition %r: %s", name, error)
                self._stop_wanted.wait(max(backoff.fail(), min(error.retry_after or 0.0, OPEN_LAST_RETRY_SECONDS)))
            else:
                return


def _is_passing(error: MusterError) -> bool:
    """Whether the control plane is out of reach or overloaded."""
    is_overloaded = error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_after is not None
    return error.code in _UNREACHABLE or is_overloaded


def _refusal_of(name: str, error: MusterError) -> MusterError:
    # The message has the first violation.
    others = "".join(f"; {field} {description}" for field, description in error.violations[1:])
    return MusterError(
        f"the control plane refuses the worker's definition {name!r}: {error}{others}",
        error.code,
        error.reason,
        violations=error.violations,
        retry_after=error.retry_after,
        metadata=error.metadata,
    )
