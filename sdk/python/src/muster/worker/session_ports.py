"""What the session's core asks of the world around it."""

from __future__ import annotations

from typing import Protocol

from muster.v1.assignment_pb2 import Assignment
from muster.worker.session_event import SessionEvent
from muster.worker.stop_reason import StopReason


class SessionPorts(Protocol):
    """Every method returns at once; none calls back into the core."""

    def start_run(self, run_id: int, assignment: Assignment) -> None:
        """Hands an attempt to the handlers."""

    def stop_run(self, run_id: int, reason: StopReason) -> None:
        """Asks a handler to stop."""

    def beat_soon(self) -> None:
        """A heartbeat is wanted before its time."""

    def beat_within(self, seconds: float) -> None:
        """A heartbeat is wanted within so many seconds."""

    def beat_for_logs(self) -> None:
        """A heartbeat is wanted that brings log records, as soon as that costs the control plane little."""

    def report_soon(self) -> None:
        """A report is in the outbox."""

    def reconnect_bus(self) -> None:
        """The control plane says that the session does not hear the bus."""

    def tell(self, event: SessionEvent) -> None:
        """Something became of the session that the worker's program may want to hear of."""

    def log(self, level: int, message: str) -> None:
        """Something worth a line in the worker's log; levels are those of `logging`."""
