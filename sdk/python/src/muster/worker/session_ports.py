"""The core's access to the outside."""

from __future__ import annotations

from typing import Protocol

from muster.worker.session_event import SessionEvent
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment


class SessionPorts(Protocol):
    """Every method returns at once; none calls back into the core."""

    def start_run(self, run_id: int, assignment: Assignment) -> None:
        """Starts the handler of an attempt."""

    def stop_run(self, run_id: int, reason: StopReason) -> None:
        """Asks a handler to stop."""

    def beat_soon(self) -> None:
        """Requests a heartbeat as soon as possible."""

    def beat_within(self, seconds: float) -> None:
        """Requests a heartbeat within this many seconds."""

    def beat_for_logs(self) -> None:
        """Requests a heartbeat with log records, as soon as it costs the control plane little."""

    def report_soon(self) -> None:
        """A report was added to the outbox."""

    def reconnect_bus(self, urls: list[str]) -> None:
        """The control plane says that the session's subscription does not work; the bus has these addresses."""

    def publish(self, event: SessionEvent) -> None:
        """Publishes an event of the session."""

    def log(self, level: int, message: str) -> None:
        """Writes a line to the worker's log; levels are those of `logging`."""
